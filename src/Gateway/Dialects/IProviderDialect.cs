using System.Buffers;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;

namespace Stoa.Gateway.Dialects;

/// <summary>
/// One vendor's chat API as its providers speak it. Bytes in, records out; no I/O.
/// Nothing but <see cref="Platform.Http.Failure"/> is thrown, whatever the bytes.
/// </summary>
internal interface IProviderDialect
{
    /// <summary>Whether pictures and files may be sent as addresses; else their content must be in the request.</summary>
    bool TakesAddresses { get; }

    /// <summary>
    /// What cannot be said on this dialect is dropped with a warning, or refused where dropping would change the meaning.
    /// </summary>
    void WriteRequest(ChatRequest request, DialectTarget target, IBufferWriter<byte> output);

    ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, DialectTarget target);

    IChatStreamReader OpenReader(ChatRequest request, DialectTarget target);
}

/// <summary>A provider's stream, event by event.</summary>
internal interface IChatStreamReader
{
    /// <param name="eventType">The SSE event name; <c>message</c> when the provider gave none.</param>
    void Read(string eventType, ReadOnlySpan<byte> data, List<ChatEvent> events);

    /// <summary>The connection is at its end. Without a finish before, the stream has failed.</summary>
    void End(List<ChatEvent> events);
}

/// <summary>The provider that a request is written for.</summary>
/// <param name="Model">The model as the provider names it.</param>
internal sealed record DialectTarget(string Model)
{
    /// <summary>The provider's <c>anthropic-version</c>; OpenAI's dialect has none.</summary>
    public string Version { get; init; } = "2023-06-01";

    /// <summary>How a provider of OpenAI's dialect differs from the others; the other dialects have one vendor each.</summary>
    public ChatTraits Traits { get; init; } = ChatTraits.Compatible;
}
