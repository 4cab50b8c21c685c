import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { formBody } from './form-body.ts'

test('a form is read by others as it was meant: texts in any script, bytes as they are', async () => {
  const bytes = randomBytes(10_000)
  const prompt = 'ein Kätzchen\r\n--boundary\r\n«été» 🦋 "quoted"'
  const { contentType, body } = formBody(
    [
      { name: 'prompt', text: prompt },
      { name: 'input_reference', fileName: 'picture.png', mimeType: 'image/png', bytes },
    ],
    'att_0199',
  )
  const form = await new Response(body, { headers: { 'content-type': contentType } }).formData()
  assert.equal(form.get('prompt'), prompt)
  const file = form.get('input_reference')
  assert.ok(file instanceof File)
  assert.deepEqual([file.name, file.type], ['picture.png', 'image/png'])
  assert.ok(bytes.equals(Buffer.from(await file.arrayBuffer())))
})

test('the boundary has no more than the 70 characters that a strict reader allows', () => {
  const boundary = formBody([], 'att_0199').contentType.slice('multipart/form-data; boundary='.length)
  assert.match(boundary, /^[\w-]{20,70}$/)
})

test('the boundary tells nothing of the salt that it is made from', () => {
  assert.doesNotMatch(formBody([], 'att_0199').contentType, /att_0199/)
})
