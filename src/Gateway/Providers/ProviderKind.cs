namespace Stoa.Gateway.Providers;

/// <summary>What the settings may name as the kind of a provider: the wire it speaks and where it answers by default.</summary>
/// <param name="Wire">The dialect of its chat endpoint.</param>
/// <param name="BaseUrl">Its public address, including any version path; null when the operator must give one.</param>
/// <param name="AsksForStreamUsage">Whether it has to be asked (<c>stream_options</c>) to report usage in streams.</param>
internal sealed record ProviderKind(string Name, ProviderWire Wire, string? BaseUrl, bool AsksForStreamUsage = true)
{
    private static readonly ProviderKind[] Known =
    [
        new("openai", ProviderWire.OpenAi, "https://api.openai.com/v1"),
        new("anthropic", ProviderWire.Anthropic, "https://api.anthropic.com", AsksForStreamUsage: false),
        new("demo", ProviderWire.Demo, null, AsksForStreamUsage: false),
        new("openai_compatible", ProviderWire.OpenAi, null),
        new("ollama", ProviderWire.OpenAi, "http://127.0.0.1:11434/v1"),
        new("llamacpp", ProviderWire.OpenAi, "http://127.0.0.1:8088/v1"),
        new("vllm", ProviderWire.OpenAi, "http://127.0.0.1:8000/v1"),
        new("groq", ProviderWire.OpenAi, "https://api.groq.com/openai/v1"),
        new("mistral", ProviderWire.OpenAi, "https://api.mistral.ai/v1", AsksForStreamUsage: false),
        new("openrouter", ProviderWire.OpenAi, "https://openrouter.ai/api/v1"),
        new("grok", ProviderWire.OpenAi, "https://api.x.ai/v1"),
        new("deepseek", ProviderWire.OpenAi, "https://api.deepseek.com"),
        new("gemini", ProviderWire.OpenAi, "https://generativelanguage.googleapis.com/v1beta/openai"),
    ];

    public static IEnumerable<string> Names => Known.Select(kind => kind.Name);

    public static ProviderKind? Find(string name) =>
        Known.FirstOrDefault(kind => string.Equals(kind.Name, name.Replace('-', '_'), StringComparison.OrdinalIgnoreCase));
}

/// <summary>The dialects that providers speak.</summary>
internal enum ProviderWire
{
    OpenAi,
    Anthropic,
    /// <summary>No wire at all: answered in this process.</summary>
    Demo,
}
