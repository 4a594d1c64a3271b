import { createAnthropic } from '@ai-sdk/anthropic';
import { scenarios } from './ai.mjs';
import { run } from './run.mjs';

const provider = (target, options) => createAnthropic({ baseURL: `${target.baseUrl}/v1`, apiKey: target.key, ...options });

await run(scenarios((target, model, options) => provider(target, options)(model)), provider);
