using System.CommandLine;
using System.CommandLine.Help;
using Npgsql;
using Stoa.Host;
using Stoa.Host.Verbs;
using Stoa.Platform.Data;
using Stoa.Platform.Hosting;
using Stoa.Platform.Http;

EventThread.OnePerProcessor();

// Not a root command, which calls itself after the program's file: in usages stands what people type.
var stoa = new Command("bin/stoa", "Stoa: one open backend for AI. Without a verb it serves.")
{
    new HelpOption(),
    new VersionOption(),
    ServeVerb.Create(),
    MigrateVerb.Create(),
    DoctorVerb.Create(),
    ConfigVerb.Create(),
    KeysVerb.Create(App.WithServicesAsync),
    PeopleVerb.Create(App.WithServicesAsync),
    JobsVerb.Create(App.WithServicesAsync),
    FeedbackVerb.Create(App.WithServicesAsync),
    LearningVerb.Create(App.WithServicesAsync),
    AssistantsVerb.Create(App.WithServicesAsync),
};
ServeVerb.MakeDefault(stoa);

try
{
    var parsed = stoa.Parse(args);
    // The host ends by its own drain, not by a limit of the command line.
    return Slips.Tell(parsed, Console.Error)
        ?? await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (WrongSettingException wrong)
{
    await Console.Error.WriteLineAsync($"Wrong setting: {wrong.Message}");
    return WrongSettingException.ExitCode;
}
catch (DatabaseException problem)
{
    await Console.Error.WriteLineAsync($"No database: {problem.Message}");
    return 1;
}
catch (NpgsqlException away) when (away is not PostgresException refused || refused.SqlState.AsSpan(0, 2) is "28" or "3D" or "53" or "57")
{
    // Not reached, or it lets nobody in; what else the server finds wrong is a fault of ours, and keeps its trace.
    await Console.Error.WriteLineAsync($"No database: {away.Message}");
    return 1;
}
catch (IOException taken) when (App.IsAddressInUse(taken))
{
    await Console.Error.WriteLineAsync($"Cannot listen: {taken.Message}");
    return 1;
}
catch (Exception denied) when (denied is IOException or UnauthorizedAccessException)
{
    // Most often the data directory, or a disk that is full.
    await Console.Error.WriteLineAsync($"Cannot start: {denied.Message}");
    return 1;
}
