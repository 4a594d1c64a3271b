using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>What a new key may do. Null scopes mean any, null limits none.</summary>
public sealed record KeyTerms(
    string Name,
    bool IsAdmin = false,
    IReadOnlyList<string>? Models = null,
    IReadOnlyList<string>? Providers = null,
    int? RequestsPerMinute = null,
    int? TokensPerMinute = null,
    DateTimeOffset? ExpiresAt = null,
    Guid? PrincipalId = null)
{
    private const int MaxText = 200;
    private const int MaxScopes = 500;

    public IEnumerable<FieldError> Check(DateTimeOffset now)
    {
        if (!IsText(Name))
        {
            yield return new("name", $"name must have between 1 and {MaxText} characters and no control characters");
        }
        if (!AreScopes(Models))
        {
            yield return new("models", "models must name at least one model; leave it out to allow any");
        }
        if (!AreScopes(Providers))
        {
            yield return new("providers", "providers must name at least one provider; leave it out to allow any");
        }
        if (RequestsPerMinute < 1)
        {
            yield return new("requests_per_minute", "requests_per_minute must be at least 1; leave it out for no limit");
        }
        if (TokensPerMinute < 1)
        {
            yield return new("tokens_per_minute", "tokens_per_minute must be at least 1; leave it out for no limit");
        }
        if (ExpiresAt <= now)
        {
            yield return new("expires_at", "expires_at must lie in the future");
        }
    }

    private static bool AreScopes(IReadOnlyList<string>? scopes) =>
        scopes is null || (scopes.Count is > 0 and <= MaxScopes && scopes.All(IsText));

    private static bool IsText(string? text) => !string.IsNullOrWhiteSpace(text) && text.Length <= MaxText && !text.Any(char.IsControl);
}
