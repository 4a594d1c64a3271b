using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>Google's <c>generateContent</c>. The model and the wish for a stream stand in the address, not in the body.</summary>
internal sealed class GeminiDialect : IProviderDialect
{
    public static readonly GeminiDialect Instance = new();

    public bool TakesAddresses => false;

    public void WriteRequest(ChatRequest request, DialectTarget target, IBufferWriter<byte> output) =>
        GeminiRequestWriter.Write(request, target, output);

    public ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, DialectTarget target) =>
        GeminiAnswers.Read(body, request);

    public IChatStreamReader OpenReader(ChatRequest request, DialectTarget target) => new GeminiStreamReader(request);
}
