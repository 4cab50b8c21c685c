import { isJsonObject, type Json } from '../canonical/json.ts'

/**
 * A body without the members that are `null`: serializers of typed languages write every optional field, and `null` where
 * none was set. Elements of lists stay. Returns the body itself where there is nothing to leave out.
 */
export function withoutNulls(body: Json): Json {
  if (Array.isArray(body)) {
    const elements = body.map((element) => (element === null ? null : withoutNulls(element)))
    return elements.some((element, index) => element !== body[index]) ? elements : body
  }
  if (!isJsonObject(body)) return body
  const members = Object.entries(body).flatMap<[string, Json]>(([key, value]) =>
    value === null ? [] : [[key, withoutNulls(value)]],
  )
  const isSame = members.length === Object.keys(body).length && members.every(([key, value]) => value === body[key])
  return isSame ? body : Object.fromEntries(members)
}
