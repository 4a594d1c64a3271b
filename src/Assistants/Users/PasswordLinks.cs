using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Mail;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Assistants.Users;

/// <summary>
/// Links by which a user who has forgotten his password sets another. They are signed for him and for the password that he has: when that
/// changes, all of them are over, and so are the tokens that he was given before.
/// </summary>
internal sealed class PasswordLinks(
    AssistantsDb db, PasswordHasher hasher, PasswordRule rule,
    IOptions<MojodexAuthOptions> auth, IOptions<MailOptions> mail, TimeProvider time)
{
    private static readonly JwtRules Rules = new() { Type = "password" };

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    // Not the key of tokens itself: no link can be one, nor one a link.
    private readonly SigningKey[] keys = string.IsNullOrEmpty(auth.Value.TokenSecret)
        ? []
        : [SigningKey.Hmac(SigningAlgorithm.HS256, HMACSHA256.HashData(Encoding.UTF8.GetBytes(auth.Value.TokenSecret), "password"u8))];

    /// <summary>Whether links can be made, and lead anywhere.</summary>
    public bool IsConfigured => keys.Length > 0 && mail.Value is { IsConfigured: true, WebappUrl: not null };

    public string UrlFor(UserRow user)
    {
        var until = (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds();
        var token = Jwt.Create(new() { ["sub"] = user.Id, ["exp"] = until, ["of"] = MarkOf(user) }, keys[0], Rules.Type);
        return $"{mail.Value.WebappUrl!.TrimEnd('/')}/auth/reset-password?token={token}";
    }

    /// <exception cref="Failure">Invalid: the link is over or none of ours; the password is too weak.</exception>
    public async Task<UserRow> SetAsync(string token, string password, CancellationToken ct)
    {
        if (!Jwt.TryRead(token, keys, Rules, time.GetUtcNow(), out var claims, out _) || claims.Text("sub") is not { } id
            || await db.Users.FirstOrDefaultAsync(row => row.Id == id, ct) is not { } user || claims.Text("of") != MarkOf(user))
        {
            throw Failure.Invalid("Invalid token.", "token", "wrong_credentials");
        }
        rule.Check(password, "new_password");
        var (old, hash) = (user.Password, await hasher.HashAsync(password, ct));
        // Of two who use the link at once only one finds the password that it was made for.
        var isSet = await db.Users.Where(row => row.Id == id && row.Password == old).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Password, hash).SetProperty(row => row.TokenVersion, row => row.TokenVersion + 1), ct) == 1;
        return isSet ? user : throw Failure.Invalid("Invalid token.", "token", "wrong_credentials");
    }

    private static string MarkOf(UserRow user) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(user.Password ?? "")).AsSpan(0, 16));
}
