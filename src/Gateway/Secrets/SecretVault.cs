using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Secrets;

/// <summary>
/// What an organization's tools send along and nobody reads: a header says <c>{{secret.NAME}}</c>, and has the value only when
/// it is sent.
/// </summary>
internal sealed partial class SecretVault(NpgsqlDataSource source, IDataProtectionProvider protection, TimeProvider time)
{
    public const int MaxValue = 8_192;
    private const int MaxSecrets = 1_000;

    private readonly IDataProtector seal = protection.CreateProtector("stoa.gateway.secrets");

    /// <summary>Their names, in order; there is no way to read a value.</summary>
    public async Task<List<SecretName>> ListAsync(Guid organizationId, CancellationToken ct)
    {
        await using var command =
            source.CreateCommand("select name, created_at, updated_at from gateway.secrets where organization_id = $1 order by name");
        command.Parameters.Add(new() { Value = organizationId });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var names = new List<SecretName>();
        while (await rows.ReadAsync(ct))
        {
            names.Add(new(rows.GetString(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetFieldValue<DateTimeOffset>(2)));
        }
        return names;
    }

    /// <summary>Keeps the value, in the place of the one before it.</summary>
    /// <exception cref="Failure">Conflict: the organization has as many as it may have.</exception>
    public async Task<SecretName> SetAsync(Guid organizationId, string name, string value, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            insert into gateway.secrets as kept (organization_id, name, value, created_at, updated_at)
            select $1, $2, $3, $4, $4
            where exists (select from gateway.secrets where organization_id = $1 and name = $2)
              or (select count(*) from gateway.secrets where organization_id = $1) < $5
            on conflict (organization_id, name) do update set value = excluded.value, updated_at = excluded.updated_at
            returning kept.name, kept.created_at, kept.updated_at
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = seal.Protect(Encoding.UTF8.GetBytes(value)), NpgsqlDbType = NpgsqlDbType.Bytea });
        command.Parameters.Add(new() { Value = time.GetUtcNow() });
        command.Parameters.Add(new() { Value = MaxSecrets });
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct)
            ? new(rows.GetString(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetFieldValue<DateTimeOffset>(2))
            : throw new Failure(FailureKind.Conflict, "too_many_secrets", $"An organization may have {MaxSecrets} secrets");
    }

    public async Task<bool> RemoveAsync(Guid organizationId, string name, CancellationToken ct)
    {
        await using var command = source.CreateCommand("delete from gateway.secrets where organization_id = $1 and name = $2");
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteNonQueryAsync(ct) > 0;
    }

    /// <summary>The headers as they are sent.</summary>
    /// <exception cref="Failure">A secret that one of them names is not there, or was sealed by another installation.</exception>
    public async ValueTask<IReadOnlyList<KeyValuePair<string, string>>> FillAsync(
        Guid organizationId, IReadOnlyList<KeyValuePair<string, string>> headers, CancellationToken ct)
    {
        var named = headers.SelectMany(header => Place().Matches(header.Value)).Select(NameOf).Distinct(StringComparer.Ordinal).ToArray();
        if (named.Length == 0)
        {
            return headers;
        }
        var values = await ReadAsync(organizationId, named, ct);
        return [.. headers.Select(header => KeyValuePair.Create(header.Key, Place().Replace(header.Value, place =>
            values.GetValueOrDefault(NameOf(place))
            ?? throw Failure.Invalid($"The secret {NameOf(place)} is not set", "headers", "secret_missing"))))];
    }

    private async Task<Dictionary<string, string>> ReadAsync(Guid organizationId, string[] names, CancellationToken ct)
    {
        await using var command =
            source.CreateCommand("select name, value from gateway.secrets where organization_id = $1 and name = any ($2)");
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = names });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            try
            {
                values[rows.GetString(0)] = Encoding.UTF8.GetString(seal.Unprotect(rows.GetFieldValue<byte[]>(1)));
            }
            catch (CryptographicException)
            {
                // As good as not there.
            }
        }
        return values;
    }

    private static string NameOf(Match place) => place.Groups["name"].Value;

    [GeneratedRegex(@"\{\{\s*secret\.(?<name>[A-Za-z0-9_-]{1,64})\s*\}\}", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Place();
}

internal sealed record SecretName(string Name, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
