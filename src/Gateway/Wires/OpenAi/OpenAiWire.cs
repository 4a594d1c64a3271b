using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Wires.OpenAi;

/// <summary>OpenAI's chat completions, as OpenAI and every server compatible with it speak them.</summary>
internal sealed class OpenAiWire : IClientWire, IProviderWire
{
    public static readonly OpenAiWire Instance = new();

    public bool TakesAddresses => true;

    public string AnswerIdPrefix => "chatcmpl-";

    public ChatRequest ReadRequest(ReadOnlyMemory<byte> body, ReadOptions options = default) => OpenAiRequestReader.Read(body, options);

    public void WriteRequest(ChatRequest request, WireTarget target, IBufferWriter<byte> output) =>
        OpenAiRequestWriter.Write(request, target, output);

    public ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, WireTarget target) => OpenAiAnswerReader.Read(body, request);

    public void WriteAnswer(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output) =>
        OpenAiAnswerWriter.Write(answer, request, head, output);

    public IChatStreamReader OpenReader(ChatRequest request, WireTarget target) => new OpenAiStreamReader(request);

    public IChatStreamWriter OpenWriter(ChatRequest request, AnswerHead head) => new OpenAiStreamWriter(request, head);
}
