using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Identity;

/// <summary>Section <c>NextAuth</c>: the session cookie that a web site with next-auth 4 shares with us.</summary>
public sealed class NextAuthOptions
{
    public const string Section = "NextAuth";

    /// <summary>The site's <c>NEXTAUTH_SECRET</c>; several while it is rotated. Without any, no such cookie is accepted.</summary>
    public List<string> Secrets { get; set; } = [];

    /// <summary>The salt of the key derivation; next-auth uses none for its session.</summary>
    public string Salt { get; set; } = "";

    /// <summary>The purpose in the key derivation. Every site has this one.</summary>
    [Required]
    public string Info { get; set; } = "NextAuth.js Generated Encryption Key";

    /// <summary>
    /// Its name over http; over https it has the prefix <c>__Secure-</c>. Long ones come in parts, <c>.0</c>, <c>.1</c>, ….
    /// </summary>
    [Required]
    public string CookieName { get; set; } = "next-auth.session-token";
}

internal sealed class NextAuthOptionsValidator(IHostEnvironment environment) : IValidateOptions<NextAuthOptions>
{
    /// <summary>What Open-Assistant's web site and backend ship with; everybody can make a cookie with it.</summary>
    internal const string PublishedSecret = "O/M2uIbGj+lDD2oyNa8ax4jEOJqCPJzO53UbWShmq98=";

    public ValidateOptionsResult Validate(string? name, NextAuthOptions options)
    {
        for (var i = 0; i < options.Secrets.Count; i++)
        {
            if (SharedSecret.RuleBroken(options.Secrets[i], environment, PublishedSecret) is { } rule)
            {
                return ValidateOptionsResult.Fail($"Secrets:{i} {rule}");
            }
        }
        return ValidateOptionsResult.Success;
    }
}
