using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// Where nobody has an account yet, each start writes a token into the log. Whoever can read it may make the first admin, once.
/// </summary>
internal sealed partial class FirstRun(
    NpgsqlDataSource source, IServer server, Readiness readiness, TimeProvider time, ILogger<FirstRun> logger)
    : BackgroundService
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(async () =>
    {
        await readiness.WhenReady(stoppingToken);
        try
        {
            if (await CreateTokenAsync(stoppingToken) is { } token)
            {
                LogToken(server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "", token);
            }
        }
        catch (Exception error) when (Outage.Is(error))
        {
            LogFailed(error.Message);
        }
    });

    /// <summary>A token to set the installation up with; null where there is somebody already.</summary>
    internal async Task<string?> CreateTokenAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var token = SecretToken.Create();
        // Plain SQL: what each start asks need not build the model of all people first.
        await using var command = source.CreateCommand("""
            with ended as (delete from platform.setup_tokens where expires_at < @now)
            insert into platform.setup_tokens (token_hash, expires_at)
            select @hash, @end where not exists (select from platform.people)
            """);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("hash", SecretToken.HashOf(token));
        command.Parameters.AddWithValue("end", now + Lifetime);
        return await command.ExecuteNonQueryAsync(ct) == 1 ? token : null;
    }

    [LoggerMessage(LogLevel.Warning, "Nobody has an account yet. Make the first admin at {Address}/setup?token={Token} within a day")]
    private partial void LogToken(string address, string token);

    [LoggerMessage(LogLevel.Warning, "No token for the first run could be written, restart to get one: {Problem}")]
    private partial void LogFailed(string problem);
}
