using System.CommandLine;
using Stoa.Learning.Import;

namespace Stoa.Host.Verbs;

/// <summary><c>stoa learning …</c>: schools that come from elsewhere.</summary>
internal static class LearningVerb
{
    public static Command Create(WithServices withServices) => new("learning", "Schools: import") { ImportCommand(withServices) };

    private static Command ImportCommand(WithServices withServices)
    {
        var folder = new Argument<DirectoryInfo>("folder")
        {
            Description = "Dumps of SensAI's tables, <table>.json each, as sqlite3 -json writes them",
        };
        folder.AcceptExistingOnly();
        var command = new Command("import", "Take over SensAI's database, with its ids, into a Learning that has nobody yet") { folder };
        command.SetAction((parsed, ct) => withServices(
            async (services, _) =>
            {
                await using var scope = services.CreateAsyncScope();
                try
                {
                    var import = scope.ServiceProvider.GetRequiredService<SensaiImport>();
                    await import.RunAsync(parsed.GetRequiredValue(folder).FullName, parsed.InvocationConfiguration.Output.WriteLine, ct);
                    return 0;
                }
                catch (InvalidDataException problem)
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(problem.Message);
                    return 1;
                }
            },
            ct));
        return command;
    }
}
