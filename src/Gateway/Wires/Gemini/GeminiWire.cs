using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Wires.Gemini;

/// <summary>Google's <c>generateContent</c>. The model and the wish for a stream stand in the address, not in the body.</summary>
internal sealed class GeminiWire : IProviderWire
{
    public static readonly GeminiWire Instance = new();

    public bool TakesAddresses => false;

    public void WriteRequest(ChatRequest request, WireTarget target, IBufferWriter<byte> output) =>
        GeminiRequestWriter.Write(request, target, output);

    public ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, WireTarget target) => GeminiAnswers.Read(body, request);

    public IChatStreamReader OpenReader(ChatRequest request, WireTarget target) => new GeminiStreamReader(request);
}
