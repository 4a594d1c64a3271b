import OpenAI, { toFile } from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { large, pixel, rejected, run, unicode, watchedFetch } from './run.mjs';

const ask = (text) => [{ role: 'system', content: 'Answer briefly.' }, { role: 'user', content: text }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const plain = ({ id, type, function: called }) => ({ id, type, name: called.name, arguments: called.arguments });

const weatherTool = { type: 'function', ...weather.function, strict: false };
const plainItem = ({ call_id, name, arguments: given }) => ({ id: call_id, name, arguments: given });

async function until(read, isDone) {
  for (;;) {
    const found = await read();
    if (isDone(found)) return found;
    await new Promise((next) => setTimeout(next, 100));
  }
}

async function collect(stream) {
  const seen = { text: '', chunks: 0, finish: null, usage: null, nullUsages: 0, choicesOfUsageChunk: null, ids: new Set(), error: null };
  try {
    for await (const chunk of stream) {
      seen.chunks++;
      seen.ids.add(chunk.id);
      seen.text += chunk.choices[0]?.delta?.content ?? '';
      seen.finish = chunk.choices[0]?.finish_reason ?? seen.finish;
      if (chunk.usage === null) seen.nullUsages++;
      if (chunk.usage) {
        seen.usage = chunk.usage;
        seen.choicesOfUsageChunk = chunk.choices.length;
      }
    }
  } catch (error) {
    seen.error = { name: error?.constructor?.name, message: String(error?.message) };
  }
  return { ...seen, ids: seen.ids.size };
}

const scenarios = {
  async text({ client, model }) {
    const { data, request_id } = await client.chat.completions.create({ model, messages: ask('What is a harbour?') }).withResponse();
    const { message, finish_reason } = data.choices[0];
    return { text: message.content, refusal: message.refusal, finish: finish_reason, usage: data.usage, object: data.object, id: data.id, model: data.model, requestId: request_id };
  },
  async stream({ client, model }) {
    return collect(await client.chat.completions.create({ model, messages: ask('Count to three.'), stream: true, stream_options: { include_usage: true } }));
  },
  async stream_without_usage({ client, model }) {
    return collect(await client.chat.completions.create({ model, messages: ask('Count to four.'), stream: true }));
  },
  async tools({ client, model }) {
    const messages = ask('What is the weather in Zürich?');
    const first = await client.chat.completions.create({ model, messages, tools: [weather] });
    const asked = first.choices[0].message;
    const results = asked.tool_calls.map((call) => ({ role: 'tool', tool_call_id: call.id, content: '{"celsius":21}' }));
    const second = await client.chat.completions.create({ model, messages: [...messages, asked, ...results], tools: [weather] });
    return { calls: asked.tool_calls.map(plain), finish: first.choices[0].finish_reason, text: second.choices[0].message.content };
  },
  async parallel_tools({ client, model }) {
    const messages = ask('Compare Zürich and Oslo.');
    const first = await client.chat.completions.stream({ model, messages, tools: [weather], parallel_tool_calls: true }).finalChatCompletion();
    const asked = first.choices[0].message;
    const results = asked.tool_calls.map((call) => ({ role: 'tool', tool_call_id: call.id, content: `result of ${call.id}` }));
    const second = await client.chat.completions.create({ model, messages: [...messages, asked, ...results], tools: [weather] });
    return { calls: asked.tool_calls.map(plain), finish: first.choices[0].finish_reason, text: second.choices[0].message.content };
  },
  async schema({ client, model }) {
    const Place = z.object({ city: z.string(), people: z.number().int(), coastal: z.boolean(), kind: z.enum(['town', 'city']) });
    const answer = await client.chat.completions.parse({ model, messages: ask('Describe Oslo.'), response_format: zodResponseFormat(Place, 'place') });
    return { parsed: answer.choices[0].message.parsed, finish: answer.choices[0].finish_reason };
  },
  async image({ client, model }) {
    const content = [{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}`, detail: 'low' } }];
    const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content }] });
    return { text: answer.choices[0].message.content, usage: answer.usage };
  },
  async wrong_key({ connect, model }) {
    return rejected(() => connect({ apiKey: 'not-a-key' }).chat.completions.create({ model, messages: ask('Hello?') }));
  },
  async unknown_model({ client }) {
    return rejected(() => client.chat.completions.create({ model: 'no-such-model', messages: ask('Hello?') }));
  },
  async missing_at_provider({ client, model }) {
    return rejected(() => client.chat.completions.create({ model, messages: ask('Hello?') }));
  },
  async retry({ connect, model }) {
    const { attempts, fetch } = watchedFetch();
    const answer = await connect({ maxRetries: 5, fetch }).chat.completions.create({ model, messages: ask('Try again.') });
    return { text: answer.choices[0].message.content, statuses: attempts.map((attempt) => attempt.status) };
  },
  async retry_later({ connect, model }) {
    return rejected(() => connect({ maxRetries: 0 }).chat.completions.create({ model, messages: ask('Hello?') }));
  },
  async cut({ connect, model }) {
    return collect(await connect({ maxRetries: 0 }).chat.completions.create({ model, messages: ask('A long story, please.'), stream: true }));
  },
  async unfinished({ connect, model }) {
    return collect(await connect({ maxRetries: 0 }).chat.completions.create({ model, messages: ask('A long story, please.'), stream: true }));
  },
  async garbage({ connect, model }) {
    return rejected(() => connect({ maxRetries: 0 }).chat.completions.create({ model, messages: ask('Hello?') }));
  },
  async unicode({ client, model }) {
    const streamed = await collect(await client.chat.completions.create({ model, messages: ask(unicode), stream: true }));
    const whole = await client.chat.completions.create({ model, messages: ask(unicode) });
    return { expected: unicode, streamed: streamed.text, whole: whole.choices[0].message.content };
  },
  async large({ client, model }) {
    const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content: large }] });
    return { isWhole: answer.choices[0].message.content === `You said: ${large}` };
  },
  async disconnect({ client, model }) {
    const stream = await client.chat.completions.create({ model, messages: ask('Go on.'), stream: true });
    let at;
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta?.content) {
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
    const outcome = await rejected(() => connect({ maxRetries: 0 }).chat.completions.create({ model, messages: ask('Wait.') }, { signal: controller.signal }));
    return { at, ...outcome };
  },
  async response({ client, model }) {
    const { data, request_id } = await client.responses.create({ model, input: 'What is a quay?', instructions: 'Answer briefly.' }).withResponse();
    return { text: data.output_text, status: data.status, object: data.object, id: data.id, usage: data.usage, requestId: request_id };
  },
  async response_stream({ client, model }) {
    const types = [];
    const numbers = [];
    const stream = client.responses.stream({ model, input: unicode });
    for await (const event of stream) {
      types.push(event.type);
      numbers.push(event.sequence_number);
    }
    const response = await stream.finalResponse();
    return { expected: unicode, text: response.output_text, types: [...new Set(types)], inOrder: numbers.every((number, at) => number === at), usage: response.usage };
  },
  async response_tools({ client, model }) {
    const input = [{ role: 'user', content: 'Compare Zürich and Oslo.' }];
    const first = await client.responses.stream({ model, input, tools: [weatherTool], store: false }).finalResponse();
    const calls = first.output.filter((item) => item.type === 'function_call');
    const results = calls.map((call) => ({ type: 'function_call_output', call_id: call.call_id, output: `result of ${call.call_id}` }));
    const said = first.output.map(({ parsed_arguments, parsed, ...item }) => item);
    const second = await client.responses.create({ model, input: [...input, ...said, ...results], tools: [weatherTool], store: false });
    return { calls: calls.map(plainItem), text: second.output_text };
  },
  async response_state({ client, model }) {
    const first = await client.responses.create({ model, input: 'One.' });
    const second = await client.responses.create({ model, input: 'Two.', previous_response_id: first.id });
    const again = await client.responses.retrieve(second.id);
    const inputs = [];
    for await (const item of client.responses.inputItems.list(second.id, { order: 'asc', limit: 1 })) inputs.push(item.type);
    await client.responses.delete(second.id);
    return { text: again.output_text, inputs, gone: await rejected(() => client.responses.retrieve(second.id)) };
  },
  async response_background({ client, model }) {
    const queued = await client.responses.create({ model, input: 'Later.', background: true });
    const made = await until(() => client.responses.retrieve(queued.id), ({ status }) => status !== 'queued' && status !== 'in_progress');
    return { queued: queued.status, status: made.status, text: made.output_text };
  },
  async batch({ client, model }) {
    const lines = ['one', 'two'].map((word) => JSON.stringify({ custom_id: word, method: 'POST', url: '/v1/chat/completions', body: { model, messages: ask(word) } }));
    const file = await client.files.create({ file: await toFile(Buffer.from(lines.join('\n')), 'lines.jsonl'), purpose: 'batch' });
    const started = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    const done = await until(() => client.batches.retrieve(started.id), ({ status }) => ['completed', 'failed'].includes(status));
    const output = await (await client.files.content(done.output_file_id)).text();
    const listed = [];
    for await (const each of client.files.list({ purpose: 'batch', limit: 1 })) listed.push(each.id);
    return { status: done.status, counts: done.request_counts, texts: output.trim().split('\n').map((line) => JSON.parse(line).response.body.choices[0].message.content), isListed: listed.includes(file.id), deleted: (await client.files.delete(file.id)).deleted };
  },
  async embeddings({ client, model }) {
    const input = ['one sentence', 'and another one'];
    const standard = await client.embeddings.create({ model, input });
    const floats = await client.embeddings.create({ model, input, encoding_format: 'float' });
    return { standard: standard.data.map((item) => item.embedding), floats: floats.data.map((item) => item.embedding), usage: standard.usage };
  },
  async models({ client }) {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return { ids };
  },
};

await run(scenarios, (target, options) => new OpenAI({ baseURL: `${target.baseUrl}/v1`, apiKey: target.key, ...options }));
