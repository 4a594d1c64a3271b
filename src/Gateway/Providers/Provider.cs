namespace Stoa.Gateway.Providers;

/// <summary>A configured provider: its name, its dialect, its models, and the client that reaches it.</summary>
internal sealed class Provider(
    string name, ProviderKind kind, IReadOnlyList<string> models, ProviderClient? client, bool hasResponses = false)
{
    public string Name => name;

    public ProviderKind Kind => kind;

    /// <summary>The models it is configured to serve; empty when it passes any name on.</summary>
    public IReadOnlyList<string> Models => models;

    /// <summary>Null for a provider that answers in this process.</summary>
    public ProviderClient? Client => client;

    /// <summary>Whether it speaks the Responses API beside its kind's own dialect.</summary>
    public bool HasResponses => hasResponses;

    public bool Serves(string model) => models.Count == 0 || models.Contains(model, StringComparer.Ordinal);
}

/// <summary>Where a model name leads.</summary>
/// <param name="Model">The name as the provider knows it.</param>
internal sealed record ModelTarget(Provider Provider, string Model)
{
    /// <summary>The name as clients write it in full: <c>provider/model</c>.</summary>
    public string FullName { get; } = $"{Provider.Name}/{Model}";

    /// <summary>Set when the name is one for several targets, of which this is the first.</summary>
    public ModelAlias? Alias { get; init; }

    /// <summary>The name under which it is listed.</summary>
    public string ListedName => Alias?.Name ?? FullName;
}
