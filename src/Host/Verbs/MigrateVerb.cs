using System.CommandLine;
using Stoa.Platform.Data;

namespace Stoa.Host.Verbs;

/// <summary>Brings the database up to date and ends.</summary>
internal static class MigrateVerb
{
    public static Command Create()
    {
        var verb = new Command("migrate", "Bring the database up to date and end");
        verb.SetAction((_, ct) => App.WithServicesAsync(
            async (services, token) =>
            {
                await Console.Out.WriteLineAsync($"The database is up to date: {services.GetRequiredService<Database>().Where}");
                return 0;
            },
            ct));
        return verb;
    }
}
