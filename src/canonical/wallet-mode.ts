/** Live credits pay for real providers; test credits only ever reach the animatic renderer. */
export const WALLET_MODES = ['live', 'test'] as const
export type WalletMode = (typeof WALLET_MODES)[number]
