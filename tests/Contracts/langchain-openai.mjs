import { ChatOpenAI } from '@langchain/openai';
import { scenarios } from './langchain.mjs';
import { run } from './run.mjs';

const open = (target, model, { fetch, ...options } = {}) => new ChatOpenAI({
  model, apiKey: target.key, configuration: { baseURL: `${target.baseUrl}/v1`, fetch }, ...options,
});

await run({
  ...scenarios(open, (answer) => answer.response_metadata.finish_reason),
  async response({ target, model }) {
    const answer = await open(target, model, { useResponsesApi: true }).invoke('What is a quay?');
    return { text: answer.text, usage: { input: answer.usage_metadata.input_tokens, output: answer.usage_metadata.output_tokens } };
  },
}, open);
