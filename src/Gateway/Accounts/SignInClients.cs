using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Accounts;

/// <summary>An application of somebody else's that people may sign in to with a token of ours.</summary>
internal sealed record SignInClient(string Id, Guid OrganizationId, string Name, string RedirectionUrl, DateTimeOffset CreatedAt);

/// <summary>Those applications, and what organizations sign the tokens of embedded users with.</summary>
internal sealed class SignInClients(NpgsqlDataSource source, IDataProtectionProvider protection, TimeProvider time)
{
    private const int MaxClients = 100;
    private const int TokenLength = 14;
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private readonly IDataProtector seal = protection.CreateProtector("stoa.gateway.organization_tokens");

    /// <exception cref="Failure">Invalid: the organization has as many as it may have.</exception>
    public async Task<SignInClient> AddAsync(Guid organizationId, string name, string redirectionUrl, CancellationToken ct)
    {
        var client = new SignInClient(HexId.Create(time), organizationId, name, redirectionUrl, time.GetUtcNow());
        await using var command = source.CreateCommand("""
            insert into gateway.sign_in_clients (id, organization_id, name, redirection_url, created_at)
            select $1, $2, $3, $4, $5 where (select count(*) from gateway.sign_in_clients where organization_id = $2) < $6
            """);
        foreach (var value in (object[])[client.Id, organizationId, name, redirectionUrl, client.CreatedAt, MaxClients])
        {
            command.Parameters.Add(new() { Value = value });
        }
        return await command.ExecuteNonQueryAsync(ct) == 1 ? client
            : throw Failure.Invalid($"An organization has at most {MaxClients} clients", code: "too_many_clients");
    }

    public async Task<List<SignInClient>> ListAsync(Guid organizationId, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select id, organization_id, name, redirection_url, created_at from gateway.sign_in_clients
              where organization_id = $1 order by created_at, id
            """);
        command.Parameters.Add(new() { Value = organizationId });
        return await ReadAsync(command, ct);
    }

    /// <summary>Of whatever organization: whoever is asked to sign in sees to whom.</summary>
    public async Task<SignInClient?> FindAsync(string id, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select id, organization_id, name, redirection_url, created_at from gateway.sign_in_clients where id = $1
            """);
        command.Parameters.Add(new() { Value = id });
        return (await ReadAsync(command, ct)).FirstOrDefault();
    }

    /// <summary>What the organization signs with; made when it is first asked for.</summary>
    public async Task<string> TokenAsync(Guid organizationId, CancellationToken ct)
    {
        // Of two who ask first one makes it; both read that one.
        await using var command = source.CreateCommand("""
            with made as (
              insert into gateway.organization_tokens (organization_id, token, created_at) values ($1, $2, $3)
              on conflict (organization_id) do update set created_at = organization_tokens.created_at returning token
            )
            select token from made
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new()
        {
            Value = seal.Protect(Encoding.ASCII.GetBytes(RandomNumberGenerator.GetString(Letters, TokenLength))),
            NpgsqlDbType = NpgsqlDbType.Bytea,
        });
        command.Parameters.Add(new() { Value = time.GetUtcNow() });
        var token = (byte[])(await command.ExecuteScalarAsync(ct))!;
        return Encoding.ASCII.GetString(seal.Unprotect(token));
    }

    private static async Task<List<SignInClient>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var rows = await command.ExecuteReaderAsync(ct);
        var clients = new List<SignInClient>();
        while (await rows.ReadAsync(ct))
        {
            clients.Add(
                new(rows.GetString(0), rows.GetGuid(1), rows.GetString(2), rows.GetString(3), rows.GetFieldValue<DateTimeOffset>(4)));
        }
        return clients;
    }
}
