import { createAcedataProvider } from './acedata/adapter.ts'
import { createComfyuiProvider } from './comfyui/adapter.ts'
import { createGrokimagineapiProvider } from './grokimagineapi/adapter.ts'
import { createOpenaiVideosProvider } from './openai-videos/adapter.ts'
import type { Provider } from './provider.ts'
import { createRivyaProvider } from './rivya/adapter.ts'
import { createStableDiffusionCppProvider } from './stable-diffusion-cpp/adapter.ts'
import type { AdapterSettings } from './upstream/adapter-settings.ts'
import { createXaiProvider } from './xai/adapter.ts'

export interface Adapter {
  /** @throws Error where the settings do not fit the adapter, with a sentence for the operator. */
  readonly create: (settings: AdapterSettings) => Provider & AsyncDisposable
  /** Its creates can name an address at which the upstream calls when the job has ended. */
  readonly namesCallback?: true
}

/** Every upstream API that can be configured, by its `kind`. The renderer is not among them: it is always there. */
export const ADAPTERS: Readonly<Record<string, Adapter>> = {
  xai: { create: createXaiProvider },
  rivya: { create: createRivyaProvider },
  grokimagineapi: { create: createGrokimagineapiProvider },
  acedata: { create: createAcedataProvider, namesCallback: true },
  'openai-videos': { create: createOpenaiVideosProvider },
  comfyui: { create: createComfyuiProvider },
  'stable-diffusion-cpp': { create: createStableDiffusionCppProvider },
}

export function isAdapterKind(kind: string): boolean {
  return Object.hasOwn(ADAPTERS, kind)
}
