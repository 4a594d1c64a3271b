using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Providers;

/// <summary>What the settings may name as the kind of a provider: the dialect it speaks and where it answers by default.</summary>
/// <param name="Dialect">The dialect of its chat endpoint; null for a provider that answers in this process.</param>
/// <param name="BaseUrl">Its public address, in OpenAI's dialect with the version path; null when the operator must give one.</param>
/// <param name="AsksForStreamUsage">Whether it has to be asked (<c>stream_options</c>) to report usage in streams.</param>
/// <param name="HasResponses">Whether it speaks the Responses API beside chat completions.</param>
internal sealed record ProviderKind(string Name, Dialect? Dialect, string? BaseUrl, bool AsksForStreamUsage = true, bool HasResponses = false)
{
    private static readonly ProviderKind[] Known =
    [
        new("openai", Chat.Dialect.OpenAi, "https://api.openai.com/v1", HasResponses: true),
        new("anthropic", Chat.Dialect.Anthropic, "https://api.anthropic.com", AsksForStreamUsage: false),
        new("demo", null, null, AsksForStreamUsage: false),
        new("openai_compatible", Chat.Dialect.OpenAi, null),
        new("ollama", Chat.Dialect.OpenAi, "http://127.0.0.1:11434/v1"),
        new("llamacpp", Chat.Dialect.OpenAi, "http://127.0.0.1:8088/v1"),
        new("vllm", Chat.Dialect.OpenAi, "http://127.0.0.1:8000/v1"),
        new("groq", Chat.Dialect.OpenAi, "https://api.groq.com/openai/v1"),
        new("mistral", Chat.Dialect.OpenAi, "https://api.mistral.ai/v1", AsksForStreamUsage: false),
        new("openrouter", Chat.Dialect.OpenAi, "https://openrouter.ai/api/v1"),
        new("grok", Chat.Dialect.OpenAi, "https://api.x.ai/v1"),
        new("deepseek", Chat.Dialect.OpenAi, "https://api.deepseek.com"),
        new("gemini", Chat.Dialect.Gemini, "https://generativelanguage.googleapis.com", AsksForStreamUsage: false),
    ];

    public static IEnumerable<string> Names => Known.Select(kind => kind.Name);

    public static ProviderKind? Find(string name) =>
        Known.FirstOrDefault(kind => string.Equals(kind.Name, name.Replace('-', '_'), StringComparison.OrdinalIgnoreCase));
}
