using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Providers;

/// <summary>What the settings may name as the kind of a provider: the wire it speaks and where it answers by default.</summary>
/// <param name="Wire">The dialect of its chat endpoint; null for a provider that answers in this process.</param>
/// <param name="BaseUrl">Its public address, in OpenAI's dialect with the version path; null when the operator must give one.</param>
/// <param name="AsksForStreamUsage">Whether it has to be asked (<c>stream_options</c>) to report usage in streams.</param>
internal sealed record ProviderKind(string Name, Wire? Wire, string? BaseUrl, bool AsksForStreamUsage = true)
{
    private static readonly ProviderKind[] Known =
    [
        new("openai", Chat.Wire.OpenAi, "https://api.openai.com/v1"),
        new("anthropic", Chat.Wire.Anthropic, "https://api.anthropic.com", AsksForStreamUsage: false),
        new("demo", null, null, AsksForStreamUsage: false),
        new("openai_compatible", Chat.Wire.OpenAi, null),
        new("ollama", Chat.Wire.OpenAi, "http://127.0.0.1:11434/v1"),
        new("llamacpp", Chat.Wire.OpenAi, "http://127.0.0.1:8088/v1"),
        new("vllm", Chat.Wire.OpenAi, "http://127.0.0.1:8000/v1"),
        new("groq", Chat.Wire.OpenAi, "https://api.groq.com/openai/v1"),
        new("mistral", Chat.Wire.OpenAi, "https://api.mistral.ai/v1", AsksForStreamUsage: false),
        new("openrouter", Chat.Wire.OpenAi, "https://openrouter.ai/api/v1"),
        new("grok", Chat.Wire.OpenAi, "https://api.x.ai/v1"),
        new("deepseek", Chat.Wire.OpenAi, "https://api.deepseek.com"),
        new("gemini", Chat.Wire.Gemini, "https://generativelanguage.googleapis.com", AsksForStreamUsage: false),
    ];

    public static IEnumerable<string> Names => Known.Select(kind => kind.Name);

    public static ProviderKind? Find(string name) =>
        Known.FirstOrDefault(kind => string.Equals(kind.Name, name.Replace('-', '_'), StringComparison.OrdinalIgnoreCase));
}
