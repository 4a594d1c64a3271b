using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>The events of one block as they stand in a client's stream: its start, its deltas, its stop.</summary>
internal static class AnthropicFrames
{
    public static void WriteStart(AnthropicBlock block, string fragment, IBufferWriter<byte> output)
    {
        var json = Open(output, "event: content_block_start\ndata: "u8, "content_block_start"u8);
        json.WriteNumber("index"u8, block.Position);
        json.WriteStartObject("content_block"u8);
        switch (block.Kind)
        {
            case AnthropicBlockKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, ""u8);
                break;
            case AnthropicBlockKind.Thinking:
                json.WriteString("type"u8, "thinking"u8);
                json.WriteString("thinking"u8, ""u8);
                json.WriteString("signature"u8, ""u8);
                break;
            case AnthropicBlockKind.Redacted:
                json.WriteString("type"u8, "redacted_thinking"u8);
                json.WriteString("data"u8, fragment);
                break;
            case AnthropicBlockKind.Tool:
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

    public static void WriteDelta(AnthropicBlock block, string fragment, IBufferWriter<byte> output)
    {
        if (fragment.Length == 0 || block.Kind == AnthropicBlockKind.Redacted)
        {
            return;
        }
        block.HasContent = true;
        switch (block.Kind)
        {
            case AnthropicBlockKind.Text:
                WriteDelta(output, block, "text_delta"u8, "text"u8, fragment);
                break;
            case AnthropicBlockKind.Thinking:
                WriteDelta(output, block, "thinking_delta"u8, "thinking"u8, fragment);
                break;
            case AnthropicBlockKind.Tool:
                WriteDelta(output, block, "input_json_delta"u8, "partial_json"u8, fragment);
                break;
        }
    }

    /// <summary>The signature that is still to be told, if there is one.</summary>
    public static void WriteSignature(AnthropicBlock block, IBufferWriter<byte> output)
    {
        if (block.Signature is { } signature)
        {
            WriteDelta(output, block, "signature_delta"u8, "signature"u8, signature);
            block.Signature = null;
        }
    }

    /// <summary>The citations that are still to be told.</summary>
    public static void WriteCitations(AnthropicBlock block, IBufferWriter<byte> output)
    {
        while (block.Citations.TryDequeue(out var citation))
        {
            var json = Open(output, "event: content_block_delta\ndata: "u8, "content_block_delta"u8);
            json.WriteNumber("index"u8, block.Position);
            json.WriteStartObject("delta"u8);
            json.WriteString("type"u8, "citations_delta"u8);
            json.WritePropertyName("citation"u8);
            AnthropicCitations.WriteOne(json, citation);
            json.WriteEndObject();
            Close(output, json);
        }
    }

    private static void WriteDelta(
        IBufferWriter<byte> output, AnthropicBlock block, ReadOnlySpan<byte> type, ReadOnlySpan<byte> field, string text)
    {
        var json = Open(output, "event: content_block_delta\ndata: "u8, "content_block_delta"u8);
        json.WriteNumber("index"u8, block.Position);
        json.WriteStartObject("delta"u8);
        json.WriteString("type"u8, type);
        json.WriteString(field, text);
        json.WriteEndObject();
        Close(output, json);
    }

    public static void WriteStop(AnthropicBlock block, IBufferWriter<byte> output)
    {
        if (block is { Kind: AnthropicBlockKind.Tool, HasContent: false })
        {
            // A client parses the input, and nothing is not JSON.
            WriteDelta(block, "{}", output);
        }
        var json = Open(output, "event: content_block_stop\ndata: "u8, "content_block_stop"u8);
        json.WriteNumber("index"u8, block.Position);
        Close(output, json);
    }

    public static Utf8JsonWriter Open(IBufferWriter<byte> output, ReadOnlySpan<byte> frame, ReadOnlySpan<byte> type)
    {
        var json = SseOutput.Open(output, frame);
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        return json;
    }

    public static void Close(IBufferWriter<byte> output, Utf8JsonWriter json)
    {
        json.WriteEndObject();
        SseOutput.Close(output, json);
    }
}
