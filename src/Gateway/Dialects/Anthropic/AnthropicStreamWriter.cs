using System.Buffers;
using System.Text;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>
/// A client's stream of message events. Blocks follow strictly one after another, so what arrives for another block while a call is
/// still open waits until that call is complete.
/// </summary>
internal sealed class AnthropicStreamWriter(ChatRequest request, AnswerHead head, bool isNewer) : IChatStreamWriter
{
    private readonly List<Block> blocks = [];
    private readonly Queue<Block> waiting = [];
    private Block? current;
    private int position;
    private TokenUsage? usage;
    private ChatEvent.Finish? finish;
    private bool failed;

    private enum BlockKind
    {
        Text,
        Thinking,
        Redacted,
        Tool,
    }

    public void Write(ChatEvent step, IBufferWriter<byte> output)
    {
        // The dialect has one answer; a request for more is refused before it comes here.
        if (failed || step.Choice != 0)
        {
            return;
        }
        switch (step)
        {
            case ChatEvent.Start start:
                WriteStart(start.Model, output);
                break;
            case ChatEvent.TextDelta text:
                Append(Find(text.Index, BlockKind.Text), text.Text, output);
                break;
            case ChatEvent.RefusalDelta refusal:
                Append(Find(refusal.Index, BlockKind.Text), refusal.Text, output);
                break;
            case ChatEvent.ThinkDelta thought:
                Append(Find(thought.Index, BlockKind.Thinking), thought.Text, output);
                break;
            case ChatEvent.ThinkSignature signature:
                Sign(Find(signature.Index, BlockKind.Thinking), ThoughtOrigin.Mark(signature.Signature, signature.Origin), output);
                break;
            case ChatEvent.ThinkRedacted redacted:
                Append(Find(redacted.Index, BlockKind.Redacted), ThoughtOrigin.Mark(redacted.Data, redacted.Origin), output);
                break;
            case ChatEvent.ToolStart tool:
                if (tool.Signature is { } proof)
                {
                    Append(Find(tool.Index, BlockKind.Redacted), ThoughtOrigin.Mark(proof, Dialect.Gemini), output);
                }
                var call = Find(tool.Index, BlockKind.Tool);
                (call.Id, call.Name) = (tool.Id, tool.Name);
                Append(call, "", output);
                break;
            case ChatEvent.ToolArgs arguments:
                Append(Find(arguments.Index, BlockKind.Tool), arguments.Fragment, output);
                break;
            case ChatEvent.ToolEnd end:
                EndTool(Find(end.Index, BlockKind.Tool), output);
                break;
            case ChatEvent.Usage figures:
                usage = figures.Tokens;
                break;
            case ChatEvent.Finish reason:
                finish = reason;
                CloseAll(output);
                break;
            case ChatEvent.Failed failure:
                failed = true;
                AnthropicErrors.WriteFrame(failure.Failure, head.RequestId, output);
                break;
            case ChatEvent.End:
                WriteEnd(output);
                break;
        }
    }

    public void KeepAlive(IBufferWriter<byte> output) => output.Write("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8);

    private void WriteStart(string model, IBufferWriter<byte> output)
    {
        var json = Open(output, "event: message_start\ndata: "u8, "message_start"u8);
        json.WriteStartObject("message"u8);
        json.WriteString("id"u8, head.Id);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("model"u8, model);
        json.WriteStartArray("content"u8);
        json.WriteEndArray();
        json.WriteNull("stop_reason"u8);
        json.WriteNull("stop_sequence"u8);
        AnthropicAnswers.WriteExtras(json, isNewer);

        // Most providers count at the end; the exact figures follow in message_delta.
        AnthropicUsage.Write(json, usage ?? new(TokenEstimate.Of(request), 1), isNewer);
        json.WriteEndObject();
        Close(output, json);
        KeepAlive(output);
    }

    private Block Find(int index, BlockKind kind)
    {
        var block = blocks.Find(block => block.Index == index && block.Kind == kind && !block.IsClosed);
        if (block is null)
        {
            block = new(index, kind);
            blocks.Add(block);
        }
        return block;
    }

    private void Append(Block block, string fragment, IBufferWriter<byte> output)
    {
        if (block != current && current is { Kind: BlockKind.Tool })
        {
            if (!waiting.Contains(block))
            {
                waiting.Enqueue(block);
            }
            block.Buffer.Append(fragment);
            return;
        }
        if (block != current)
        {
            CloseCurrent(output);
            OpenBlock(block, fragment, output);
        }
        WriteDelta(block, fragment, output);
    }

    private void Sign(Block block, string signature, IBufferWriter<byte> output)
    {
        block.Signature = signature;
        Append(block, "", output);
        if (block == current)
        {
            WriteSignature(block, output);
        }
    }

    private void EndTool(Block block, IBufferWriter<byte> output)
    {
        block.IsEnded = true;
        if (block != current)
        {
            return;
        }
        CloseCurrent(output);
        while (current is not { Kind: BlockKind.Tool } && waiting.TryDequeue(out var next))
        {
            Release(next, output);
        }
    }

    private void CloseAll(IBufferWriter<byte> output)
    {
        CloseCurrent(output);
        while (waiting.TryDequeue(out var next))
        {
            Release(next, output);
        }
        CloseCurrent(output);
    }

    private void Release(Block block, IBufferWriter<byte> output)
    {
        var text = block.Buffer.ToString();
        CloseCurrent(output);
        OpenBlock(block, text, output);
        WriteDelta(block, text, output);
        WriteSignature(block, output);
        if (block.IsEnded)
        {
            CloseCurrent(output);
        }
    }

    private void OpenBlock(Block block, string fragment, IBufferWriter<byte> output)
    {
        current = block;
        block.Position = position++;
        var json = Open(output, "event: content_block_start\ndata: "u8, "content_block_start"u8);
        json.WriteNumber("index"u8, block.Position);
        json.WriteStartObject("content_block"u8);
        switch (block.Kind)
        {
            case BlockKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, ""u8);
                break;
            case BlockKind.Thinking:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, ""u8);
                json.WriteString("signature"u8, ""u8);
                break;
            case BlockKind.Redacted:
                json.WriteString("type"u8, "redacted_thinking"u8);
                json.WriteString("data"u8, fragment);
                break;
            case BlockKind.Tool:
                json.WriteString("type"u8, "tool_use"u8);
                json.WriteString("id"u8, ToolNames.AnthropicId(block.Id));
                json.WriteString("name"u8, block.Name);
                json.WriteStartObject("input"u8);
                json.WriteEndObject();
                break;
        }
        json.WriteEndObject();
        Close(output, json);
    }

    private static void WriteDelta(Block block, string fragment, IBufferWriter<byte> output)
    {
        if (fragment.Length == 0 || block.Kind == BlockKind.Redacted)
        {
            return;
        }
        block.HasContent = true;
        switch (block.Kind)
        {
            case BlockKind.Text:
                WriteDelta(output, block, "text_delta"u8, "text"u8, fragment);
                break;
            case BlockKind.Thinking:
                WriteDelta(output, block, "thinking_delta"u8, "thinking"u8, fragment);
                break;
            case BlockKind.Tool:
                WriteDelta(output, block, "input_json_delta"u8, "partial_json"u8, fragment);
                break;
        }
    }

    private static void WriteSignature(Block block, IBufferWriter<byte> output)
    {
        if (block.Signature is { } signature)
        {
            WriteDelta(output, block, "signature_delta"u8, "signature"u8, signature);
            block.Signature = null;
        }
    }

    private static void WriteDelta(IBufferWriter<byte> output, Block block, ReadOnlySpan<byte> type, ReadOnlySpan<byte> field, string text)
    {
        var json = Open(output, "event: content_block_delta\ndata: "u8, "content_block_delta"u8);
        json.WriteNumber("index"u8, block.Position);
        json.WriteStartObject("delta"u8);
        json.WriteString("type"u8, type);
        json.WriteString(field, text);
        json.WriteEndObject();
        Close(output, json);
    }

    private void CloseCurrent(IBufferWriter<byte> output)
    {
        if (current is not { } block)
        {
            return;
        }
        current = null;
        block.IsClosed = true;
        if (block is { Kind: BlockKind.Tool, HasContent: false })
        {
            // A client parses the input, and nothing is not JSON.
            WriteDelta(block, "{}", output);
        }
        var json = Open(output, "event: content_block_stop\ndata: "u8, "content_block_stop"u8);
        json.WriteNumber("index"u8, block.Position);
        Close(output, json);
    }

    private void WriteEnd(IBufferWriter<byte> output)
    {
        CloseAll(output);
        var json = Open(output, "event: message_delta\ndata: "u8, "message_delta"u8);
        json.WriteStartObject("delta"u8);
        json.WriteString("stop_reason"u8, AnthropicAnswers.ReasonFor(finish?.Reason ?? FinishReason.Stop, isNewer));
        json.WriteString("stop_sequence"u8, finish?.StopSequence);
        AnthropicAnswers.WriteExtras(json, isNewer);
        json.WriteEndObject();
        AnthropicUsage.Write(json, usage ?? default, isNewer);
        Close(output, json);
        output.Write("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8);
    }

    private static Utf8JsonWriter Open(IBufferWriter<byte> output, ReadOnlySpan<byte> frame, ReadOnlySpan<byte> type)
    {
        var json = SseOutput.Open(output, frame);
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        return json;
    }

    private static void Close(IBufferWriter<byte> output, Utf8JsonWriter json)
    {
        json.WriteEndObject();
        SseOutput.Close(output, json);
    }

    private sealed class Block(int index, BlockKind kind)
    {
        public int Index => index;

        public BlockKind Kind => kind;

        public int Position { get; set; }

        public string Id { get; set; } = "";

        public string Name { get; set; } = "";

        public string? Signature { get; set; }

        public StringBuilder Buffer { get; } = new();

        public bool HasContent { get; set; }

        public bool IsEnded { get; set; }

        public bool IsClosed { get; set; }
    }
}
