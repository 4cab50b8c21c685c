/**
 * The mark inside the file: an XMP packet in a `uuid` box, as XMP Specification Part 3 (section 2.1.1, “MPEG-4”) lays
 * down, that says with IPTC's vocabulary that nobody filmed this. Readers that do not know the box skip it.
 */

/** IPTC digital source types: made by a trained model, or by a program without one. */
export const SOURCE_TYPES = ['trainedAlgorithmicMedia', 'algorithmicMedia'] as const
export type SourceType = (typeof SOURCE_TYPES)[number]

/** Where a video comes from, as far as its mark says. */
export interface Provenance {
  readonly sourceType: SourceType
  readonly model: string
  readonly provider: string
  readonly taskId: string
}

const SOURCE_TYPE_PREFIX = 'http://cv.iptc.org/newscodes/digitalsourcetype/'

/** BE7ACFCB-97A9-42E8-9C71-999491E3AFAC, which announces XMP. */
const XMP_UUID = Buffer.from('be7acfcb97a942e89c71999491e3afac', 'hex')

const BOX_HEADER_BYTES = 8

/** The id that every XMP packet starts with. */
const PACKET_ID = 'W5M0MpCehiHzreSzNTczkc9d'

/** The whole box, header included. Equal provenance gives equal bytes. */
export function xmpBox(provenance: Provenance): Buffer {
  const packet = Buffer.from(xmpPacket(provenance), 'utf8')
  const header = Buffer.alloc(BOX_HEADER_BYTES)
  header.writeUInt32BE(header.length + XMP_UUID.length + packet.length, 0)
  header.write('uuid', 4, 'latin1')
  return Buffer.concat([header, XMP_UUID, packet])
}

/** Whether the content of a `uuid` box is XMP, of whichever program. */
export function isXmp(content: Buffer): boolean {
  return content.subarray(0, XMP_UUID.length).equals(XMP_UUID)
}

/** Of another program's XMP the one statement that is kept. */
const FOREIGN_SOURCE_TYPE = /cv\.iptc\.org\/newscodes\/digitalsourcetype\/([A-Za-z]{1,64})\b/

/**
 * The content of a `uuid` box of XMP without all that it says beside IPTC's digital source type: prompts, programs, people.
 * As long as it was; `undefined` where it does not state that, or has no room for it. The mark of a Reelay is kept whole.
 */
export function keptOfXmp(content: Buffer): Buffer | undefined {
  if (isMark(content)) return content
  const sourceType = FOREIGN_SOURCE_TYPE.exec(content.toString('utf8', XMP_UUID.length))?.[1]
  if (sourceType === undefined) return undefined
  const kept = Buffer.alloc(content.length, ' ')
  const packet = Buffer.from(foreignPacket(sourceType))
  if (packet.length > content.length - XMP_UUID.length) return undefined
  XMP_UUID.copy(kept)
  packet.copy(kept, XMP_UUID.length)
  return kept
}

/** Whether it is a mark to the byte, so that nothing else hides in it. */
function isMark(content: Buffer): boolean {
  const provenance = readXmpBox(content)
  return provenance !== undefined && xmpBox(provenance).subarray(BOX_HEADER_BYTES).equals(content)
}

function foreignPacket(sourceType: string): string {
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType="${SOURCE_TYPE_PREFIX}${sourceType}"/></rdf:RDF></x:xmpmeta>`
}

/** What the content of a `uuid` box says if it is a mark of ours. Anybody could have written it: it proves nothing. */
export function readXmpBox(content: Buffer): Provenance | undefined {
  if (!isXmp(content)) return undefined
  const packet = content.toString('utf8', XMP_UUID.length)
  const sourceType = SOURCE_TYPES.find((type) => packet.includes(`>${SOURCE_TYPE_PREFIX}${type}<`))
  const [model, provider, taskId] = ['Model', 'Provider', 'Task'].map((name) => elementOf(packet, name))
  if (sourceType === undefined || model === undefined || provider === undefined || taskId === undefined) {
    return undefined
  }
  return { sourceType, model, provider, taskId }
}

function elementOf(packet: string, name: string): string | undefined {
  const text = new RegExp(`<reelay:${name}>([^<]*)</reelay:${name}>`).exec(packet)?.[1]
  return text?.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

function xmpPacket({ sourceType, model, provider, taskId }: Provenance): string {
  return `<?xpacket begin="\uFEFF" id="${PACKET_ID}"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:reelay="urn:reelay:provenance:1">
   <xmp:CreatorTool>Reelay</xmp:CreatorTool>
   <Iptc4xmpExt:DigitalSourceType>${SOURCE_TYPE_PREFIX}${sourceType}</Iptc4xmpExt:DigitalSourceType>
   <reelay:Model>${escapeXml(model)}</reelay:Model>
   <reelay:Provider>${escapeXml(provider)}</reelay:Provider>
   <reelay:Task>${escapeXml(taskId)}</reelay:Task>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
