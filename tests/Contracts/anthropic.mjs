import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { large, pixel, rejected, run, unicode, watchedFetch } from './run.mjs';

const ask = (text) => ({ max_tokens: 1024, system: 'Answer briefly.', messages: [{ role: 'user', content: text }] });
const weather = {
  name: 'get_weather',
  description: 'The weather in a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const textOf = (message) => message.content.filter((block) => block.type === 'text').map((block) => block.text).join('');
const callsOf = (message) => message.content.filter((block) => block.type === 'tool_use').map(({ id, name, input }) => ({ id, name, input }));
const answersTo = (message, text) => ({
  role: 'user',
  content: callsOf(message).map((call) => ({ type: 'tool_result', tool_use_id: call.id, content: text ?? `result of ${call.id}` })),
});

async function collect(stream) {
  const seen = { text: '', events: [], stop: null, usage: null, error: null };
  try {
    for await (const event of stream) {
      if (event.type !== seen.events.at(-1)) seen.events.push(event.type);
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') seen.text += event.delta.text;
      if (event.type === 'message_start') seen.usage = event.message.usage;
      if (event.type === 'message_delta') {
        seen.stop = event.delta.stop_reason;
        for (const [name, value] of Object.entries(event.usage)) {
          if (value !== null && value !== undefined) seen.usage[name] = value;
        }
      }
    }
  } catch (error) {
    seen.error = { name: error?.constructor?.name, message: String(error?.message) };
  }
  return seen;
}

const scenarios = {
  async text({ client, model }) {
    const { data, request_id } = await client.messages.create({ model, ...ask('What is a harbour?') }).withResponse();
    return { text: textOf(data), stop: data.stop_reason, usage: data.usage, type: data.type, id: data.id, model: data.model, requestId: request_id };
  },
  async stream({ client, model }) {
    return collect(await client.messages.create({ model, ...ask('Count to three.'), stream: true }));
  },
  async tools({ client, model }) {
    const question = ask('What is the weather in Zürich?');
    const first = await client.messages.create({ model, ...question, tools: [weather] });
    const messages = [...question.messages, { role: 'assistant', content: first.content }, answersTo(first, '{"celsius":21}')];
    const second = await client.messages.create({ model, ...question, messages, tools: [weather] });
    return { calls: callsOf(first), stop: first.stop_reason, text: textOf(second) };
  },
  async parallel_tools({ client, model }) {
    const question = ask('Compare Zürich and Oslo.');
    const first = await client.messages.stream({ model, ...question, tools: [weather] }).finalMessage();
    const messages = [...question.messages, { role: 'assistant', content: first.content }, answersTo(first)];
    const second = await client.messages.create({ model, ...question, messages, tools: [weather] });
    return { calls: callsOf(first), stop: first.stop_reason, text: textOf(second) };
  },
  async forced_tool({ client, model }) {
    const answer = await client.messages.create({ model, ...ask('Look it up.'), tools: [weather], tool_choice: { type: 'tool', name: 'get_weather' } });
    return { calls: callsOf(answer), stop: answer.stop_reason };
  },
  async schema({ client, model }) {
    const Place = z.object({ city: z.string(), people: z.number().int(), coastal: z.boolean(), kind: z.enum(['town', 'city']) });
    const answer = await client.messages.parse({ model, ...ask('Describe Oslo.'), output_config: { format: zodOutputFormat(Place) } });
    return { parsed: answer.parsed_output, stop: answer.stop_reason };
  },
  async image({ client, model }) {
    const content = [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } }, { type: 'text', text: 'What is this?' }];
    const answer = await client.messages.create({ model, max_tokens: 100, messages: [{ role: 'user', content }] });
    return { text: textOf(answer), usage: answer.usage };
  },
  async wrong_key({ connect, model }) {
    return rejected(() => connect({ apiKey: 'not-a-key' }).messages.create({ model, ...ask('Hello?') }));
  },
  async unknown_model({ client }) {
    return rejected(() => client.messages.create({ model: 'no-such-model', ...ask('Hello?') }));
  },
  async missing_at_provider({ client, model }) {
    return rejected(() => client.messages.create({ model, ...ask('Hello?') }));
  },
  async retry({ connect, model }) {
    const { attempts, fetch } = watchedFetch();
    const answer = await connect({ maxRetries: 5, fetch }).messages.create({ model, ...ask('Try again.') });
    return { text: textOf(answer), statuses: attempts.map((attempt) => attempt.status) };
  },
  async retry_later({ connect, model }) {
    return rejected(() => connect({ maxRetries: 0 }).messages.create({ model, ...ask('Hello?') }));
  },
  async cut({ connect, model }) {
    return collect(await connect({ maxRetries: 0 }).messages.create({ model, ...ask('A long story, please.'), stream: true }));
  },
  async unfinished({ connect, model }) {
    return collect(await connect({ maxRetries: 0 }).messages.create({ model, ...ask('A long story, please.'), stream: true }));
  },
  async garbage({ connect, model }) {
    return rejected(() => connect({ maxRetries: 0 }).messages.create({ model, ...ask('Hello?') }));
  },
  async unicode({ client, model }) {
    const streamed = await collect(await client.messages.create({ model, ...ask(unicode), stream: true }));
    const whole = await client.messages.create({ model, ...ask(unicode) });
    return { expected: unicode, streamed: streamed.text, whole: textOf(whole) };
  },
  async large({ client, model }) {
    return { isWhole: textOf(await client.messages.create({ model, ...ask(large) })) === `You said: ${large}` };
  },
  async disconnect({ client, model }) {
    const stream = await client.messages.create({ model, ...ask('Go on.'), stream: true });
    let at;
    for await (const event of stream) {
      if (event.type === 'content_block_delta') {
        at = Date.now();
        break; // leaving the loop closes the connection
      }
    }
    return { at };
  },
  async disconnect_while_waiting({ connect, model }) {
    const controller = new AbortController();
    let at;
    setTimeout(() => { at = Date.now(); controller.abort(); }, 1000);
    const outcome = await rejected(() => connect({ maxRetries: 0 }).messages.create({ model, ...ask('Wait.') }, { signal: controller.signal }));
    return { at, ...outcome };
  },
  async count_tokens({ client, model }) {
    const { max_tokens, ...question } = ask('How long is this question?');
    return { tokens: (await client.messages.countTokens({ model, ...question })).input_tokens };
  },
  async models({ client }) {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids };
  },
};

await run(scenarios, (target, options) => new Anthropic({ baseURL: target.baseUrl, apiKey: target.key, ...options }));
