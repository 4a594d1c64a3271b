using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;

namespace Stoa.Gateway.Providers;

/// <summary>What the settings may name as the kind of a provider: the dialect it speaks and where it answers by default.</summary>
/// <param name="Dialect">The dialect of its chat endpoint; null for a provider that answers in this process.</param>
/// <param name="BaseUrl">Its public address, in OpenAI's dialect with the version path; null when the operator must give one.</param>
/// <param name="AsksForStreamUsage">Whether it has to be asked (<c>stream_options</c>) to report usage in streams.</param>
/// <param name="HasResponses">Whether it speaks the Responses API beside chat completions.</param>
internal sealed record ProviderKind(
    string Name, Dialect? Dialect, string? BaseUrl, bool AsksForStreamUsage = true, bool HasResponses = false)
{
    private static readonly ProviderKind[] Known =
    [
        new("openai", Chat.Dialect.OpenAi, "https://api.openai.com/v1", HasResponses: true) { Traits = ChatTraits.OpenAi },
        new("anthropic", Chat.Dialect.Anthropic, "https://api.anthropic.com", AsksForStreamUsage: false),
        new("demo", null, null, AsksForStreamUsage: false),
        new("openai_compatible", Chat.Dialect.OpenAi, null),
        new("ollama", Chat.Dialect.OpenAi, "http://127.0.0.1:11434/v1"),
        new("llamacpp", Chat.Dialect.OpenAi, "http://127.0.0.1:8088/v1"),
        new("vllm", Chat.Dialect.OpenAi, "http://127.0.0.1:8000/v1"),
        new("groq", Chat.Dialect.OpenAi, "https://api.groq.com/openai/v1") { Traits = ChatTraits.Groq },
        new("mistral", Chat.Dialect.OpenAi, "https://api.mistral.ai/v1", AsksForStreamUsage: false) { Traits = ChatTraits.Mistral },
        new("openrouter", Chat.Dialect.OpenAi, "https://openrouter.ai/api/v1") { Traits = ChatTraits.OpenRouter },
        new("grok", Chat.Dialect.OpenAi, "https://api.x.ai/v1") { Traits = ChatTraits.Grok },
        new("deepseek", Chat.Dialect.OpenAi, "https://api.deepseek.com") { Traits = ChatTraits.DeepSeek },
        new("moonshot", Chat.Dialect.OpenAi, "https://api.moonshot.ai/v1") { Traits = ChatTraits.Moonshot },
        new("ai_ml", Chat.Dialect.OpenAi, "https://api.ai.ml/openai") { ImagesAt = "/v1/generation/images" },
        new("neev_cloud", Chat.Dialect.OpenAi, "https://inference.ai.neevcloud.com/v1"),
        new("deepgram", Chat.Dialect.OpenAi, "https://api.deepgram.com",
            AsksForStreamUsage: false) { OnlyListens = true, KeyScheme = "Token" },
        new("gemini", Chat.Dialect.Gemini, "https://generativelanguage.googleapis.com", AsksForStreamUsage: false),
    ];

    /// <summary>Whether it answers on the open web, as opposed to a server of the operator's.</summary>
    public bool IsPublic => Dialect is not null && !OnlyListens && BaseUrl?.StartsWith("https:", StringComparison.Ordinal) == true;

    /// <summary>It writes down what is said (<c>POST /v1/listen</c>) and knows nothing of chat.</summary>
    public bool OnlyListens { get; private init; }

    /// <summary>Where it draws, from the root of its server; null where that is OpenAI's endpoint.</summary>
    public string? ImagesAt { get; private init; }

    /// <summary>What stands before the key in <c>Authorization</c>, where that is how it is sent.</summary>
    public string KeyScheme { get; private init; } = "Bearer";

    /// <summary>How its chat endpoint differs from others of OpenAI's dialect.</summary>
    public ChatTraits Traits { get; private init; } = ChatTraits.Compatible;

    public static IEnumerable<string> Names => Known.Select(kind => kind.Name);

    public static ProviderKind? Find(string name)
    {
        var written = name.Replace('-', '_');
        // GTWY's services have names of their own for two of them.
        var known = written.ToLowerInvariant() switch
        {
            "open_router" => "openrouter",
            "openai_completion" => "openai",
            var other => other,
        };
        return Known.FirstOrDefault(kind => kind.Name == known);
    }
}
