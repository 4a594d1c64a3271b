using System.Reflection;
using System.Text.RegularExpressions;
using Stoa.Tests.Support;

namespace Stoa.Tests;

/// <summary>Who may know whom. A new arrow or a new public type is a visible decision here.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Stoa.Platform"] = [],
        ["Stoa.Gateway"] = ["Stoa.Platform"],
        ["Stoa.Feedback"] = ["Stoa.Platform", "Stoa.Gateway"],
        ["Stoa.Learning"] = ["Stoa.Platform", "Stoa.Gateway"],
        ["Stoa.Assistants"] = ["Stoa.Platform", "Stoa.Gateway"],
    };

    /// <summary>What a module shows to others, pages excepted. Platform is there to be used and may show what it likes.</summary>
    private static readonly Dictionary<string, string[]> Public = new(StringComparer.Ordinal)
    {
        ["Stoa.Gateway"] =
        [
            "Stoa.Gateway.GatewayModule",
            "Stoa.Gateway.IModels", "Stoa.Gateway.ModelQuestion", "Stoa.Gateway.ModelSchema",
            "Stoa.Gateway.ModelSpeaker", "Stoa.Gateway.ModelTurn",
            "Stoa.Gateway.ModelPart", "Stoa.Gateway.ModelReply",
            "Stoa.Gateway.IEmbeddings", "Stoa.Gateway.EmbeddingQuestion",
            "Stoa.Gateway.EmbeddingReply", "Stoa.Gateway.ITranscriptions", "Stoa.Gateway.Recording",
            "Stoa.Gateway.IModelBudgets", "Stoa.Gateway.ModelBudget", "Stoa.Gateway.IModelKeys", "Stoa.Gateway.ModelKey",
            "Stoa.Gateway.IModelUsage", "Stoa.Gateway.ModelUse", "Stoa.Gateway.ModelCall",
            "Stoa.Gateway.IServedAnswers", "Stoa.Gateway.ServedAnswer", "Stoa.Gateway.ServedExchange",
        ],
        ["Stoa.Feedback"] =
        [
            "Stoa.Feedback.FeedbackModule",
            // What bin/stoa feedback does.
            "Stoa.Feedback.Commands.FeedbackCommands", "Stoa.Feedback.Commands.ExportTerms", "Stoa.Feedback.Commands.ImportTerms",
        ],
        ["Stoa.Learning"] = ["Stoa.Learning.LearningModule", "Stoa.Learning.Import.SensaiImport"],
        ["Stoa.Assistants"] =
        [
            "Stoa.Assistants.AssistantsModule", "Stoa.Assistants.Engines.EngineSettings", "Stoa.Assistants.Engines.EngineSetting",
            "Stoa.Assistants.Privacy.UserErasure",
        ],
        // The SDK makes the class of top-level statements public.
        ["Stoa.Host"] = ["Program"],
    };

    /// <summary>
    /// Which folders of Platform a folder may use besides itself. Types in the root (settings, roles) are free to all; the root itself
    /// puts everything together and is not listed.
    /// </summary>
    private static readonly Dictionary<string, string[]> Folders = new(StringComparer.Ordinal)
    {
        ["Telemetry"] = [],
        ["Data"] = ["Telemetry", "Egress"],
        ["Egress"] = ["Telemetry", "Data", "Http"],
        ["Http"] = Floor(),
        ["Limits"] = Floor(),
        // A bucket that cannot be reached is a failure.
        ["Storage"] = [.. Floor(), "Http"],
        // Their routes and pages want to know who asks.
        ["Jobs"] = [.. Floor(), "Http", "Limits", "Storage", "Identity", "Pages"],
        // The keys API is made of routes and speaks in failures.
        ["Identity"] = [.. Floor(), "Http", "Limits", "Storage"],
        ["Webhooks"] = [.. Floor(), "Http", "Jobs", "Identity"],
        ["Notifications"] = [.. Floor(), "Http", "Jobs"],
        ["Privacy"] = [.. Floor(), "Http", "Jobs", "Identity", "Pages"],
        ["Pages"] = [.. Floor(), "Http", "Limits", "Identity"],
        // The host's frame sees everything, as Program does.
        ["Hosting"] =
        [
            .. Floor(), "Http", "Limits", "Storage", "Jobs", "Identity", "Privacy", "Webhooks", "Notifications", "Pages",
        ],
    };

    [Fact]
    public void A_module_references_only_what_it_may() =>
        Assert.All(Allowed, rule => Assert.Subset(
            rule.Value.ToHashSet(StringComparer.Ordinal),
            Assembly.Load(rule.Key).GetReferencedAssemblies()
                .Select(name => name.Name!)
                .Where(name => name.StartsWith("Stoa.", StringComparison.Ordinal))
                .ToHashSet(StringComparer.Ordinal)));

    [Fact]
    public void A_module_shows_exactly_its_listed_types() =>
        Assert.All(Public, rule => Assert.Equal(
            rule.Value.Order(StringComparer.Ordinal),
            Assembly.Load(rule.Key).GetExportedTypes()
                .Where(type => type.Namespace?.Contains(".Pages", StringComparison.Ordinal) != true)
                .Select(type => type.FullName!)
                .Order(StringComparer.Ordinal)));

    [Fact]
    public void A_folder_of_Platform_uses_only_what_it_may()
    {
        Assert.SkipUnless(Repository.Root is not null, "The sources are not beside the tests");
        var platform = Path.Combine(Repository.Root, "src", "Platform");

        var arrows = from folder in Directory.GetDirectories(platform)
                     let name = Path.GetFileName(folder)
                     where name is not ("obj" or "bin" or "Migrations")
                     from file in Directory.EnumerateFiles(folder, "*.*", SearchOption.AllDirectories)
                     where file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".razor", StringComparison.Ordinal)
                     from Match use in Use().Matches(File.ReadAllText(file))
                     let used = use.Groups["folder"].Value
                     where used != name
                     where !(Folders.TryGetValue(name, out var allowed) && allowed.Contains(used))
                     select $"{Path.GetRelativePath(platform, file)} uses {used}";

        Assert.Empty(arrows);
    }

    private static string[] Floor() => ["Data", "Telemetry", "Egress"];

    [GeneratedRegex(@"^\s*@?using (static )?Stoa\.Platform\.(?<folder>\w+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Use();
}
