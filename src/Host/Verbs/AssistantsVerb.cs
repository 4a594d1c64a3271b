using System.CommandLine;
using Stoa.Assistants.Engines;
using Stoa.Assistants.Privacy;

namespace Stoa.Host.Verbs;

/// <summary><c>stoa assistants …</c>: what an operator brings along from the original, and users who want to be forgotten.</summary>
internal static class AssistantsVerb
{
    public static Command Create(WithServices withServices) =>
        new("assistants", "Assistants: import-engines, erase") { ImportCommand(), EraseCommand(withServices) };

    private static Command EraseCommand(WithServices withServices)
    {
        var user = new Argument<string>("user") { Description = "The user's id, or the address that he signs in with" };
        var command = new Command("erase", "Erase a user and all that the assistant did for him, at once and for good") { user };
        command.SetAction((parsed, ct) => withServices(
            async (services, _) =>
            {
                await using var scope = services.CreateAsyncScope();
                if (await scope.ServiceProvider.GetRequiredService<UserErasure>().EraseAsync(parsed.GetRequiredValue(user), ct))
                {
                    return 0;
                }
                await parsed.InvocationConfiguration.Error.WriteLineAsync("There is no such user");
                return 1;
            },
            ct));
        return command;
    }

    private static Command ImportCommand()
    {
        var models = new Argument<FileInfo>("models") { Description = "models.conf" };
        var embeddings = new Argument<FileInfo?>("embeddings") { Description = "embedding_models.conf", Arity = ArgumentArity.ZeroOrOne };
        var speech = new Argument<FileInfo?>("speech") { Description = "stt_models.conf", Arity = ArgumentArity.ZeroOrOne };
        var output = new Option<FileInfo?>("--output") { Description = "File to write the settings to, keys in clear; it must not exist" };
        var import = new Command("import-engines", "Turn the original's engine files into settings; keys are shown masked")
        {
            models, embeddings, speech, output,
        };
        import.SetAction(async (parsed, ct) =>
        {
            try
            {
                var settings = EngineSettings.Of(
                    await ReadAsync(parsed.GetRequiredValue(models), ct),
                    parsed.GetValue(embeddings) is { } second ? await ReadAsync(second, ct) : null,
                    parsed.GetValue(speech) is { } third ? await ReadAsync(third, ct) : null);
                foreach (var setting in settings)
                {
                    await parsed.InvocationConfiguration.Output.WriteLineAsync($"{setting.Name}={setting.Shown}");
                }
                if (parsed.GetValue(output) is { } file)
                {
                    await WriteAsync(file.FullName, settings, ct);
                }
                return 0;
            }
            catch (Exception problem) when (problem is FormatException or IOException or UnauthorizedAccessException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync(problem.Message);
                return 1;
            }
        });
        return import;
    }

    private static async Task<(string File, string Text)> ReadAsync(FileInfo file, CancellationToken ct) =>
        (file.Name, await File.ReadAllTextAsync(file.FullName, ct));

    // As an environment file, which nobody else reads.
    private static async Task WriteAsync(string path, IReadOnlyList<EngineSetting> settings, CancellationToken ct)
    {
        var terms = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            terms.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        await using var writer = new StreamWriter(path, terms);
        foreach (var setting in settings)
        {
            await writer.WriteLineAsync($"{setting.Name}={setting.Value}".AsMemory(), ct);
        }
    }
}
