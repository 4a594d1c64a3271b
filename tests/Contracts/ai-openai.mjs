import { createOpenAI } from '@ai-sdk/openai';
import { generateText, streamText } from 'ai';
import { scenarios } from './ai.mjs';
import { run, unicode } from './run.mjs';

const provider = (target, options) => createOpenAI({ baseURL: `${target.baseUrl}/v1`, apiKey: target.key, ...options });

await run({
  ...scenarios((target, model, options) => provider(target, options).chat(model)),
  // What the SDK itself asks when nobody says otherwise.
  async response({ target, model }) {
    const answer = await generateText({ model: provider(target).responses(model), prompt: 'What is a quay?' });
    return { text: answer.text, usage: { input: answer.usage.inputTokens, output: answer.usage.outputTokens } };
  },
  async response_stream({ target, model }) {
    const answer = streamText({ model: provider(target).responses(model), prompt: unicode, onError: () => {} });
    return { expected: unicode, text: await answer.text, finish: await answer.finishReason };
  },
}, provider);
