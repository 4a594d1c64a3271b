using System.CommandLine;

namespace Stoa.Host.Verbs;

/// <summary>Brings the database up to date and ends.</summary>
internal static class MigrateVerb
{
    public static Command Create()
    {
        var verb = new Command("migrate", "Bring the database up to date and end");
        verb.SetAction(async (_, ct) =>
        {
            await using var app = await App.BuildAsync([]);
            await App.PrepareAsync(app, ct);
            return 0;
        });
        return verb;
    }
}
