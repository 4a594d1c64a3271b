using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Assistants.Auth;

/// <summary>
/// Mojodex's tokens of users: <c>sub</c> is the user's id, the splitter, and something that makes each token its own; they live 180 days,
/// or until he sets a new password.
/// </summary>
internal sealed class MojodexTokens(IOptions<MojodexAuthOptions> options, SpentTokens spent, NpgsqlDataSource source, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(180);

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private const int LongestId = 255;

    // Ours. Tokens that the original has issued have none, and are of the first.
    private const string Version = "ver";

    private static readonly JwtRules Rules = new();

    private readonly string splitter = options.Value.SubjectSplitter;
    private readonly SigningKey[] keys = string.IsNullOrEmpty(options.Value.TokenSecret)
        ? []
        : [SigningKey.Hmac(options.Value.TokenAlgorithm, options.Value.TokenSecret)];

    /// <summary>False: no secret is set, and nobody can log in.</summary>
    public bool CanIssue => keys.Length > 0;

    /// <param name="version">Of the user's tokens, as his row has it.</param>
    public string Issue(string userId, int version = 0)
    {
        var now = time.GetUtcNow();
        var once = RandomNumberGenerator.GetString(Alphabet, 10);
        return Jwt.Create(
            new()
            {
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = (now + Lifetime).ToUnixTimeSeconds(),
                [Version] = version,
                ["sub"] = string.Create(CultureInfo.InvariantCulture, $"{userId}{splitter}{once}{now:O}"),
            },
            keys is [var key] ? key : throw new InvalidOperationException("Assistants__Auth__TokenSecret is not set"));
    }

    /// <summary>The user's id, or why there is none.</summary>
    public async ValueTask<(string? UserId, TokenFault? Fault)> ReadAsync(string token, CancellationToken ct)
    {
        var (userId, version, fault) = Read(token);
        return userId is null || await IsCurrentAsync(userId, version, ct) ? (userId, fault) : (null, TokenFault.Revoked);
    }

    private (string? UserId, int Version, TokenFault? Fault) Read(string token)
    {
        if (!Jwt.TryRead(token, keys, Rules, time.GetUtcNow(), out var claims, out var fault))
        {
            return (null, 0, fault);
        }
        if (spent.Contains(token))
        {
            return (null, 0, TokenFault.Revoked);
        }
        // A subject without the splitter was made by somebody else with the same secret, for another purpose.
        return claims.Text("sub") is { } subject && subject.IndexOf(splitter, StringComparison.Ordinal) is var end and > 0 and <= LongestId
            ? (subject[..end],
                claims.All.TryGetProperty(Version, out var sent) && sent is { ValueKind: JsonValueKind.Number }
                && sent.TryGetInt32(out var version) ? version : 0, null)
            : (null, 0, TokenFault.Malformed);
    }

    /// <summary>Whoever is not there at all is for the route to refuse.</summary>
    private async Task<bool> IsCurrentAsync(string userId, int version, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select token_version from assistants.users where id = $1");
        command.Parameters.Add(new() { Value = userId });
        return await command.ExecuteScalarAsync(ct) is not int current || current == version;
    }
}
