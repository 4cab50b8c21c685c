import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSandbox } from './sandbox.ts'

test('reads each outcome, anywhere in the prompt and in any case', () => {
  for (const [prompt, outcome] of [
    ['a lake sandbox:fail at dawn', 'fail'],
    ['SANDBOX:Moderated', 'moderated'],
    ['a lake, sandbox:expire.', 'expire'],
    ['a lake', 'video'],
  ] as const) {
    const sandbox = readSandbox(prompt)
    assert.equal(sandbox.kind === 'plan' && sandbox.outcome, outcome, prompt)
  }
})

test('combines a delay with an outcome, and keeps the tokens out of the scene', () => {
  assert.deepEqual(readSandbox('a lake sandbox:slow=20 at dawn sandbox:fail'), {
    kind: 'plan',
    outcome: 'fail',
    slowSeconds: 20,
    prompt: 'a lake   at dawn',
  })
})

test('takes only whole tokens', () => {
  assert.deepEqual(readSandbox('mysandbox:fail or sandbox: nothing, sandboxes'), {
    kind: 'malformed',
    message: readSandbox('sandbox:').kind === 'malformed' ? messageOf('sandbox:') : '',
  })
  const plain = readSandbox('mysandbox:fail')
  assert.equal(plain.kind === 'plan' && plain.outcome, 'video')
})

function messageOf(prompt: string): string {
  const sandbox = readSandbox(prompt)
  return sandbox.kind === 'malformed' ? sandbox.message : ''
}

test('refuses what it does not know, and names what it does', () => {
  for (const prompt of [
    'sandbox:slow=abc',
    'sandbox:slow=601',
    'sandbox:slow=-1',
    'sandbox:slow=1.5',
    'sandbox:nonsense',
    'sandbox:fail sandbox:expire',
    'sandbox:slow=1 sandbox:slow=2',
  ]) {
    assert.match(messageOf(prompt), /sandbox:fail, sandbox:moderated, sandbox:expire, or sandbox:slow=N/u, prompt)
  }
  assert.equal(readSandbox('sandbox:slow=0').kind, 'plan')
  assert.equal(readSandbox('sandbox:slow=600').kind, 'plan')
})
