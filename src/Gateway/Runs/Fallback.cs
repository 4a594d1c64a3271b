using System.Text.Json.Nodes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Which models take the place of one that fails, and after which failures: <c>fall_back{is_enable, service, model, chain[], on[]}</c>.
/// </summary>
internal static class Fallback
{
    private const int MaxTargets = 5;

    public static IEnumerable<(string Service, string Model)> TargetsOf(Run run)
    {
        if (run.Plan.SettingObject("fall_back") is not { } rules || !rules.Is("is_enable"))
        {
            return [];
        }
        return new[] { rules }.Concat(rules.List("chain").Objects()).Take(MaxTargets + 1)
            .Select(target => (Service: target.Name("service") ?? run.Plan.Choice.Service.Name, Model: target.Name("model")))
            .Where(target => target.Model is not null)
            .Select(target => (target.Service, target.Model!))
            .Distinct();
    }

    /// <summary>
    /// What another model could do better. What is wrong with the request itself stays wrong, unless the agent says otherwise.
    /// </summary>
    public static bool MayHelp(Run run, Failure failure, string kind) => failure.Kind switch
    {
        FailureKind.Internal or FailureKind.Conflict => false,
        // Our own budget, which no other model has more of.
        FailureKind.Quota when failure.Code == Budgets.ExhaustedBudget.Code => false,
        FailureKind.Invalid or FailureKind.TooLarge or FailureKind.UnsupportedMedia or FailureKind.MethodNotAllowed or FailureKind.Unauthenticated =>
            On(run).Texts().Contains(kind, StringComparer.Ordinal),
        _ => true,
    };

    private static JsonArray? On(Run run) => run.Plan.SettingObject("fall_back").List("on");
}
