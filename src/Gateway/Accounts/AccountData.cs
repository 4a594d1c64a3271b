using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Privacy;

namespace Stoa.Gateway.Accounts;

/// <summary>What the Gateway keeps about a person: what the front end stored, and which agents he changed.</summary>
internal sealed class AccountData(GatewayDb db, AccountSettings settings) : IPersonalData
{
    public string Name => "gateway";

    public async Task ExportAsync(Guid personId, ExportFolder folder, CancellationToken ct)
    {
        await folder.AddAsync("settings", SettingsAsync(), GatewayJson.Default.JsonObject, ct);
        var user = $"{personId}";
        var changes = db.AgentChanges.AsNoTracking().Where(change => change.UserId == user).OrderBy(change => change.Id);
        await folder.AddAsync("changes", changes.AsAsyncEnumerable(), GatewayJson.Default.AgentChange, ct);

        async IAsyncEnumerable<JsonObject> SettingsAsync()
        {
            yield return await settings.OfPersonAsync(personId, ct);
        }
    }

    /// <summary>Changes stay under the id, which then stands for nobody.</summary>
    public Task EraseAsync(Guid personId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"delete from gateway.person_settings where person_id = {personId}", ct);
}
