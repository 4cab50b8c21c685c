import type { GenerationRequest } from '../../../src/canonical/generation.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import type { AdapterSettings } from '../../../src/providers/upstream/adapter-settings.ts'
import type { Speech, UpstreamRequest } from '../upstream/speech.ts'

/** An adapter, the vendor that it is for, and what is special about the two. */
export interface ProviderCase {
  /** The adapter's kind. */
  readonly name: string
  readonly create: (settings: AdapterSettings) => Provider & AsyncDisposable
  readonly speech: Speech
  /** Beside the base URL of the stand-in and two keys. */
  readonly settings?: Partial<AdapterSettings>
  /** Requests that it takes, by what they show; the first is the one that most tests use. */
  readonly takes: Readonly<Record<string, GenerationRequest>>
  /** Requests that routing must keep from it, by what it cannot do. */
  readonly refuses: Readonly<Record<string, GenerationRequest>>
  /**
   * How the files of a request stand in what the upstream received, in the order of its references; asked for every
   * request of `takes` that has any.
   */
  readonly filesIn?: (received: readonly UpstreamRequest[]) => readonly Buffer[]
  /**
   * Where a finished video is: behind a link to another host, at a route of the API itself (`content` calls), or inside
   * the poll's answer.
   */
  readonly results: 'link' | 'content' | 'inline'
  /** Whether an empty object tells something of a job: elsewhere it is no answer to a poll. */
  readonly emptyObjectTells?: true
  /** Whether it tells progress. */
  readonly tellsProgress: boolean
  /** Whether a moderated job is told apart from a failed one. */
  readonly tellsModeration: boolean
}
