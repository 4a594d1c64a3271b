using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>Anthropic's messages API in the version that the client asked for; the provider's version comes with the target.</summary>
internal sealed class AnthropicDialect : IClientDialect, IProviderDialect
{
    private const string NewerVersion = "2026-10-21";

    private static readonly AnthropicDialect Older = new(isNewer: false);
    private static readonly AnthropicDialect Newer = new(isNewer: true);

    private readonly bool isNewer;

    private AnthropicDialect(bool isNewer) => this.isNewer = isNewer;

    /// <param name="version">The client's <c>anthropic-version</c>; missing or unknown ones count as the older.</param>
    public static AnthropicDialect Of(string? version) => IsNewer(version) ? Newer : Older;

    /// <summary>Versions are dates, so text order is their order.</summary>
    public static bool IsNewer(string? version) =>
        version?.Length == NewerVersion.Length && string.CompareOrdinal(version, NewerVersion) >= 0;

    public bool TakesAddresses => true;

    public string AnswerIdPrefix => "msg_";

    public ChatRequest ReadRequest(ReadOnlyMemory<byte> body, ReadOptions options = default) =>
        AnthropicRequestReader.Read(body, isNewer, options);

    public void WriteRequest(ChatRequest request, DialectTarget target, IBufferWriter<byte> output) =>
        AnthropicRequestWriter.Write(request, target, output);

    public ChatAnswer ReadAnswer(ReadOnlyMemory<byte> body, ChatRequest request, DialectTarget target) =>
        AnthropicAnswers.Read(body, request, target);

    public void WriteAnswer(ChatAnswer answer, ChatRequest request, AnswerHead head, IBufferWriter<byte> output) =>
        AnthropicAnswers.Write(answer, head, isNewer, output);

    public IChatStreamReader OpenReader(ChatRequest request, DialectTarget target) => new AnthropicStreamReader(request, target);

    public IChatStreamWriter OpenWriter(ChatRequest request, AnswerHead head) => new AnthropicStreamWriter(request, head, isNewer);
}
