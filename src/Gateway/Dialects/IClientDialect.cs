using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects;

/// <summary>
/// One vendor's chat API as its clients speak it. Bytes in, records out; no I/O.
/// Nothing but <see cref="Platform.Http.Failure"/> is thrown, whatever the bytes.
/// </summary>
internal interface IClientDialect
{
    /// <summary>How the id of an answer begins (<c>chatcmpl-</c>, <c>msg_</c>).</summary>
    string AnswerIdPrefix { get; }

    ChatRequest ReadRequest(ReadOnlyMemory<byte> body, ReadOptions options = default);

    void WriteAnswer(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output);

    IChatStreamWriter OpenWriter(ChatRequest request, AnswerHead head);
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

/// <summary>What the gateway itself puts on an answer.</summary>
/// <param name="Created">Unix seconds.</param>
internal readonly record struct AnswerHead(string Id, long Created, string? RequestId = null);
