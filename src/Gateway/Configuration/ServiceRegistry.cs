using Microsoft.Extensions.Options;

namespace Stoa.Gateway.Configuration;

/// <summary>
/// The providers that agents may name. Their addresses are the public ones unless <c>Gateway__Providers__&lt;name&gt;__BaseUrl</c> says
/// otherwise; a provider of the settings that is not among the known ones is a service too.
/// </summary>
internal sealed class ServiceRegistry
{
    private static readonly int[] Key = [401];
    private static readonly int[] KeyOrRequest = [400, 401];
    private static readonly int[] Busy = [429];

    private static readonly ProviderService[] Known =
    [
        new("openai", "https://api.openai.com/v1", "openai_responses", "openai", "gpt-5-nano", Key, Busy),
        new("openai_completion", "https://api.openai.com/v1", "openai_chat", "openai", "gpt-4o-mini", Key, Busy),
        new("anthropic", "https://api.anthropic.com", "anthropic", "anthropic", "claude-3-7-sonnet-latest", Key, Busy),
        new("gemini", "https://generativelanguage.googleapis.com", "gemini", "gemini", "gemini-2.5-flash", [400], Busy),
        new("groq", "https://api.groq.com/openai/v1", "openai_chat", "groq", "llama-3.3-70b-versatile", KeyOrRequest, [422, 429, 498]),
        new("grok", "https://api.x.ai/v1", "openai_chat", "grok", "grok-4-fast", KeyOrRequest, Busy),
        new("open_router", "https://openrouter.ai/api/v1", "openai_chat",
            "openrouter", "deepseek/deepseek-chat-v3-0324:free", Key, [402, 429]),
        new("mistral", "https://api.mistral.ai/v1", "openai_chat", "mistral", "mistral-medium-latest", Key, Busy),
        new("ai_ml", "https://api.ai.ml/openai", "openai_chat", "ai_ml", "gpt-oss-20b", Key, Busy),
        new("deepgram", "https://api.deepgram.com", "deepgram", "deepgram", "nova-3", [400, 401, 404], [402, 413, 422, 429]),
        new("neev_cloud", "https://inference.ai.neevcloud.com/v1", "openai_chat", "neev_cloud", "gpt-oss-120b", Key, Busy),
        new("moonshot", "https://api.moonshot.ai/v1", "openai_chat", "moonshot", "kimi-k2.6", Key, Busy),
        new("deepseek", "https://api.deepseek.com", "openai_chat", "deepseek", "deepseek-v4-flash", KeyOrRequest, Busy),
        new(ProviderService.Demo, null, "demo", "demo", "demo", [], []),
    ];

    private readonly Dictionary<string, ProviderService> byName;

    public ServiceRegistry(IOptions<GatewayOptions> options)
    {
        var given = options.Value.Providers;
        byName = Known.Select(service => given.TryGetValue(service.Name, out var own) ? With(service, own) : service)
            .ToDictionary(service => service.Name, StringComparer.Ordinal);
        foreach (var (name, own) in given.Where(entry => Providers.ProviderKind.Find(entry.Value.Kind)?.Dialect is not null))
        {
            var kind = Providers.ProviderKind.Find(own.Kind)!;
            byName.TryAdd(name.ToLowerInvariant(), With(
                new(name.ToLowerInvariant(), kind.BaseUrl, kind.OnlyListens ? kind.Name : FormatOf(kind.Dialect!.Value),
                    kind.Name, own.Models.FirstOrDefault(), Key, Busy), own));
        }
        All = [.. byName.Values];
    }

    public IReadOnlyList<ProviderService> All { get; }

    public ProviderService? Find(string? name) => name is null ? null : byName.GetValueOrDefault(name);

    /// <summary>What a provider can be asked, as its settings list it; else the usual model of its kind, where one is known.</summary>
    public static IReadOnlyList<string> ModelsOf(Providers.Provider provider)
    {
        if (provider.Models.Count > 0 || provider.Kind.Dialect is not { } dialect)
        {
            return provider.Models;
        }
        var usual = Array.Find(Known, service => service.Kind == provider.Kind.Name && service.WireFormat == FormatOf(dialect));
        return usual?.DefaultModel is { } model ? [model] : [];
    }

    private static ProviderService With(ProviderService service, ProviderOptions own) => service with
    {
        BaseUrl = own.BaseUrl ?? service.BaseUrl,
        HasOperatorKey = !string.IsNullOrEmpty(own.ApiKey),
        Models = [.. own.Models],
        DefaultModel = own.Models.Count == 0 || own.Models.Contains(service.DefaultModel!, StringComparer.Ordinal)
        ? service.DefaultModel : own.Models[0],
    };

    private static string FormatOf(Chat.Dialect wire) => wire switch
    {
        Chat.Dialect.OpenAi => "openai_chat",
        Chat.Dialect.Anthropic => "anthropic",
        Chat.Dialect.Gemini => "gemini",
        Chat.Dialect.OpenAiResponses => "openai_responses",
    };
}
