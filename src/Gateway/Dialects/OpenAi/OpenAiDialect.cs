using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>OpenAI's chat completions, as OpenAI and every server compatible with it speak them.</summary>
internal sealed class OpenAiDialect : IClientDialect, IProviderDialect
{
    public static readonly OpenAiDialect Instance = new();

    public bool TakesAddresses => true;

    public string AnswerIdPrefix => "chatcmpl-";

    public ChatRequest ReadRequest(ReadOnlyMemory<byte> body, ReadOptions options = default) => OpenAiRequestReader.Read(body, options);

    public void WriteRequest(ChatRequest request, DialectTarget target, IBufferWriter<byte> output) =>
        OpenAiRequestWriter.Write(request, target, output);

    public ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, DialectTarget target) =>
        OpenAiAnswerReader.Read(body, request);

    public void WriteAnswer(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output) =>
        OpenAiAnswerWriter.Write(answer, request, head, output);

    public IChatStreamReader OpenReader(ChatRequest request, DialectTarget target) => new OpenAiStreamReader(request);

    public IChatStreamWriter OpenWriter(ChatRequest request, AnswerHead head) => new OpenAiStreamWriter(request, head);
}
