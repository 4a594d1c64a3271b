import { ChatAnthropic } from '@langchain/anthropic';
import { scenarios } from './langchain.mjs';
import { run } from './run.mjs';

const open = (target, model, { fetch, ...options } = {}) => new ChatAnthropic({
  model, apiKey: target.key, anthropicApiUrl: target.baseUrl, maxTokens: 1024, clientOptions: { fetch }, ...options,
});

await run(scenarios(open, (answer) => answer.response_metadata.stop_reason ?? answer.additional_kwargs.stop_reason), open);
