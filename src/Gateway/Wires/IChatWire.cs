using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Wires;

/// <summary>
/// One vendor's chat API, both ways: as the client speaks it and as the provider speaks it. Bytes in, records out; no I/O.
/// Nothing but <see cref="Platform.Http.Failure"/> is thrown, whatever the bytes.
/// </summary>
internal interface IChatWire
{
    Wire Kind { get; }

    /// <summary>An id for an answer as this wire's clients expect it (<c>chatcmpl-…</c>, <c>msg_…</c>).</summary>
    string NewId();

    ChatRequest ReadRequest(ReadOnlyMemory<byte> body, ReadOptions options = default);

    /// <summary>What cannot be said on this wire is dropped with a warning, or refused where dropping would change the meaning.</summary>
    void WriteRequest(ChatRequest request, WireTarget target, IBufferWriter<byte> output);

    ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, WireTarget target);

    void WriteAnswer(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output);

    IChatStreamReader OpenReader(ChatRequest request, WireTarget target);

    IChatStreamWriter OpenWriter(ChatRequest request, AnswerHead head);
}

/// <summary>A provider's stream, event by event.</summary>
internal interface IChatStreamReader
{
    /// <param name="eventType">The SSE event name; <c>message</c> when the provider gave none.</param>
    void Read(string eventType, ReadOnlySpan<byte> data, List<ChatEvent> events);

    /// <summary>The connection is at its end. Without a finish before, the stream has failed.</summary>
    void End(List<ChatEvent> events);
}

/// <summary>A client's stream: whole SSE frames.</summary>
internal interface IChatStreamWriter
{
    void Write(ChatEvent step, IBufferWriter<byte> output);

    void KeepAlive(IBufferWriter<byte> output);
}

/// <param name="Repair">Calls without a result get an error result instead of a refusal (<c>x-gtwy-repair</c>).</param>
/// <param name="CountOnly">The request is only counted, so it needs no <c>max_tokens</c>.</param>
internal readonly record struct ReadOptions(bool Repair = false, bool CountOnly = false);

/// <summary>The provider that a request is written for.</summary>
/// <param name="Model">The model as the provider names it.</param>
internal sealed record WireTarget(string Model)
{
    /// <summary>The provider's <c>anthropic-version</c>; OpenAI's wire has none.</summary>
    public string Version { get; init; } = "2023-06-01";

    /// <summary>OpenAI itself, not a server that is merely compatible with it.</summary>
    public bool Genuine { get; init; }

    /// <summary>The model's usual output limit, for wires that demand one.</summary>
    public int? DefaultMaxOutput { get; init; }
}

/// <summary>What the gateway itself puts on an answer.</summary>
/// <param name="Created">Unix seconds.</param>
internal readonly record struct AnswerHead(string Id, long Created, string? RequestId = null);
