namespace Stoa.Gateway.Configuration;

/// <summary>A model provider as agents name it, and how it is reached.</summary>
/// <param name="BaseUrl">Null for what answers in this process.</param>
/// <param name="WireFormat"><c>openai_responses</c>, <c>openai_chat</c>, <c>anthropic</c>, <c>gemini</c>, <c>deepgram</c> or
/// <c>demo</c>.</param>
/// <param name="Kind">The provider kind of the settings that speaks to it; null when none does.</param>
/// <param name="DefaultModel">Of a new agent.</param>
/// <param name="Invalid">Statuses that say that a key is no key.</param>
/// <param name="Limited">Statuses that say that a key is used up or too busy.</param>
internal sealed record ProviderService(
    string Name, string? BaseUrl, string WireFormat, string? Kind,
    string? DefaultModel, IReadOnlyList<int> Invalid, IReadOnlyList<int> Limited)
{
    public const string Demo = "demo";

    private const int Forbidden = 403;

    public bool NeedsKey => Name != Demo;

    /// <summary>The operator's own key for it, from the settings; used where the organization brought none.</summary>
    public bool HasOperatorKey { get; init; }

    /// <summary>The models to which the settings keep it; empty where they name none.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>What the settings leave out cannot be named, whatever is stored or known of it.</summary>
    public bool Serves(string model) => Models.Count == 0 || Models.Contains(model, StringComparer.Ordinal);

    /// <summary>
    /// The status of a key after a call that the provider answered so: <c>working</c>, <c>invalid</c>, <c>unauthorized</c>, <c>limited</c>.
    /// </summary>
    public string? KeyStatusOf(int status) => status switch
    {
        >= 200 and < 300 => "working",
        Forbidden => "unauthorized",
        _ when Invalid.Contains(status) => "invalid",
        _ when Limited.Contains(status) => "limited",
        _ => null,
    };
}
