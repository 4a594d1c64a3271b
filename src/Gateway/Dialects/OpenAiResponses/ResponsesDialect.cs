using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>OpenAI's Responses API: items instead of messages, and events that name what they carry.</summary>
internal sealed class ResponsesDialect : IClientDialect, IProviderDialect
{
    public static readonly ResponsesDialect Instance = new();

    public bool TakesAddresses => true;

    public string AnswerIdPrefix => "resp_";

    public ChatRequest ReadRequest(ReadOnlyMemory<byte> body, ReadOptions options = default) => ResponsesRequestReader.Read(body, options);

    public void WriteRequest(ChatRequest request, DialectTarget target, IBufferWriter<byte> output) =>
        ResponsesRequestWriter.Write(request, target, output);

    public ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, DialectTarget target) =>
        ResponsesAnswerReader.Read(body, request);

    public void WriteAnswer(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output) =>
        ResponsesAnswerWriter.Write(answer, request, head, output);

    public IChatStreamReader OpenReader(ChatRequest request, DialectTarget target) => new ResponsesStreamReader(request);

    public IChatStreamWriter OpenWriter(ChatRequest request, AnswerHead head) => new ResponsesStreamWriter(request, head);
}
