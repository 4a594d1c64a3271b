namespace Stoa.Assistants.Wire;

/// <summary>
/// What a family of routes says to a bad request; clients log the texts. It is metadata of the route or its group; without it a route
/// speaks as those of users and of the scheduler do.
/// </summary>
/// <param name="NotJson">The body is no JSON object.</param>
internal sealed record WireTexts(string NotJson, Func<string, string> Missing, Func<string, string> Wrong)
{
    public static readonly WireTexts User =
        new("Request must be JSON", name => $"Missing field '{name}'", name => $"Invalid field '{name}'");

    /// <summary>Routes that the background service calls back.</summary>
    public static readonly WireTexts Callback = User with { NotJson = "Invalid request" };

    /// <summary>The document and chunk routes among these.</summary>
    public static readonly WireTexts Documents = new(
        "Request must be in json format", name => $"Missing key '{name}' in json", name => $"Invalid key '{name}' in json");

    /// <summary>Below <c>/background</c>.</summary>
    public static readonly WireTexts Background = new("invalid inputs", _ => "invalid inputs", _ => "invalid inputs");
}
