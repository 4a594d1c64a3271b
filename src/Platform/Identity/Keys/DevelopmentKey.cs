using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Identity;

/// <summary>Section <c>Keys</c>.</summary>
public sealed class KeyOptions
{
    /// <summary>Whether the key <c>stoa-dev</c> opens everything. Unset: in Development only. It cannot be had elsewhere.</summary>
    public bool? Development { get; set; }
}

internal sealed class KeyOptionsValidator(IHostEnvironment environment) : IValidateOptions<KeyOptions>
{
    public ValidateOptionsResult Validate(string? name, KeyOptions options) => options.Development is true && !environment.IsDevelopment()
        ? ValidateOptionsResult.Fail($"Development must not be true outside Development: everybody knows the key {DevelopmentKey.Token}")
        : ValidateOptionsResult.Success;
}

/// <summary>
/// <c>stoa-dev</c>, admin of the organization <c>default</c>. It lives in the memory of a Development host and never in the database,
/// so no other host can come to know it.
/// </summary>
internal static class DevelopmentKey
{
    public const string Token = "stoa-dev";

    public static readonly Guid Id = new("00000000-0000-7000-8000-0000000000de");

    public static ApiKey? For(IHostEnvironment environment, KeyOptions options) =>
        environment.IsDevelopment() && options.Development is not false
        ? new(Id, Organization.DefaultId, "Development", Token, KeyToken.HashOf(Token), IsAdmin: true,
            Models: null, Providers: null, RequestsPerMinute: null, TokensPerMinute: null, ExpiresAt: null)
        : null;
}
