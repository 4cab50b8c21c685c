import { frameSize, type GenerationRequest } from '../../canonical/generation.ts'

/** Models of video work on blocks: of 16 pixels where a latent pixel is 8 and the transformer takes 2 by 2 of them, as is usual. */
export const USUAL_SIZE_STEP = 16

export interface FrameSize {
  readonly width: number
  readonly height: number
}

/**
 * The size to ask an engine for whose frames come in steps of so many pixels: the smallest that the asked frame fits into, so
 * that the finished video only has to be cut.
 */
export function sizeOnGrid(request: GenerationRequest, step: number): FrameSize {
  const { width, height } = frameSize(request)
  return { width: step * Math.ceil(width / step), height: step * Math.ceil(height / step) }
}
