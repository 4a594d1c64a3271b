using System.Collections;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Host;
using Stoa.Platform;
using Stoa.Platform.Hosting;
using Stoa.Tests.Support;

namespace Stoa.Tests.Host;

/// <summary>What the documents name exists, and what exists is named.</summary>
public sealed partial class DocsTests
{
    private static readonly string[] NotOurs = ["artifacts", "node_modules", "data", ".git", "obj", "TestResults"];

    [Fact]
    public async Task Every_setting_is_in_the_list_of_settings()
    {
        await using var app = await App.BuildAsync(["--environment", "Development"]);
        var page = await ReadAsync("docs/configuration.md");

        var settings = app.Services.GetServices<SettingsSection>().SelectMany(section => Names(section.Path, section.Type)).ToList();
        var missing = settings.Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal));

        Assert.Contains("Gateway__Providers__<name>__ApiKey", settings);
        Assert.Empty(missing);
    }

    [Fact]
    public async Task Every_setting_that_a_document_names_exists()
    {
        await using var app = await App.BuildAsync(["--environment", "Development"]);
        var sections = app.Services.GetServices<SettingsSection>().ToArray();

        var unknown = from page in Pages()
                      from Match setting in Setting().Matches(File.ReadAllText(page))
                      let key = setting.Value.Replace("__", ":", StringComparison.Ordinal)
                      where !sections.Any(section => SettingsShape.Knows(section, key))
                      select $"{page}: {setting.Value}";

        Assert.Empty(unknown);
    }

    [Fact]
    public async Task Every_name_of_another_system_that_is_read_is_in_the_list_of_aliases()
    {
        await using var app = await App.BuildAsync(["--environment", "Development"]);
        var page = await ReadAsync("docs/configuration.md");

        var aliases = app.Services.GetServices<SettingAlias>().ToList();
        var missing = aliases.Where(alias =>
            !page.Contains(
                $"| `{alias.Variable}` | `{alias.Setting.Replace(":", "__", StringComparison.Ordinal)}", StringComparison.Ordinal));

        Assert.NotEmpty(aliases);
        Assert.Empty(missing);
    }

    [Fact]
    public async Task Every_route_is_in_a_document_of_its_wire()
    {
        await using var app = await App.BuildAsync(["--environment", "Development"]);
        var wires = string.Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs", "wire"), "*.md").Select(File.ReadAllText));

        var routes = WireDocument.RoutesOf(WireDocument.Endpoints(app).Where(endpoint => WireDocument.PathOf(endpoint) is var path
            && (path.StartsWith("/v1/", StringComparison.Ordinal) || path.StartsWith("/api/stoa/", StringComparison.Ordinal))));
        var missing = routes.Where(route => !wires.Contains($"`{route}`", StringComparison.Ordinal));

        Assert.Contains("POST /v1/chat/completions", routes);
        Assert.Empty(missing);
    }

    [Fact]
    public async Task Every_route_of_GTWY_has_its_row_which_says_that_it_is_there()
    {
        await using var app = await App.BuildAsync(["--environment", "Development"]);
        var routes = WireDocument.RoutesOf(WireDocument.Endpoints(app).Where(endpoint =>
            endpoint.IsOf("gateway") && !WireDocument.PathOf(endpoint).StartsWith("/v1/", StringComparison.Ordinal)));

        Assert.Contains("GET /api/agent/{agent_id}", routes);
        WireDocument.Agree(await WireDocument.RowsAsync("gateway.md"), routes);
    }

    [Fact]
    public async Task Every_route_of_GTWYs_contract_has_a_row() =>
        Assert.Empty(await WireDocument.WithoutRowAsync("gateway.openapi.json", "", await WireDocument.RowsAsync("gateway.md")));

    [Fact]
    public void Every_relative_link_leads_somewhere()
    {
        var broken = from page in Pages()
                     from Match link in Link().Matches(File.ReadAllText(page))
                     let target = Path.Combine(Path.GetDirectoryName(page)!, link.Groups["path"].Value)
                     where !Path.Exists(target)
                     select $"{page}: {link.Groups["path"].Value}";

        Assert.NotEmpty(Pages());
        Assert.Empty(broken);
    }

    /// <summary>The variables that set the values of a settings class: <c>Gateway__Providers__&lt;name&gt;__Models__0</c>.</summary>
    private static IEnumerable<string> Names(string path, Type type)
    {
        foreach (var property in SettingsShape.PropertiesOf(type))
        {
            var name = $"{path.Replace(":", "__", StringComparison.Ordinal)}__{property.Name}";
            var value = property.PropertyType;
            var inner = typeof(IDictionary).IsAssignableFrom(value) ? ($"{name}__<name>", value.GetGenericArguments()[1])
                : typeof(IList).IsAssignableFrom(value) ? ($"{name}__0", value.GetGenericArguments()[0])
                : (name, value);
            foreach (var one in SettingsShape.IsGroup(inner.Item2) ? Names(inner.Item1, inner.Item2) : [inner.Item1])
            {
                yield return one;
            }
        }
    }

    private static IEnumerable<string> Pages() => Directory
        .EnumerateFiles(Repository.Root, "*.md", SearchOption.AllDirectories)
        .Where(file => !Path.GetRelativePath(Repository.Root, file).Split(Path.DirectorySeparatorChar).Any(NotOurs.Contains));

    private static Task<string> ReadAsync(string path) =>
        File.ReadAllTextAsync(Path.Combine(Repository.Root, path), TestContext.Current.CancellationToken);

    [GeneratedRegex(
        @"\b(Stoa|Gateway|Keys|People|Sessions|Egress|Jobs|Calendars|Google|Discord|NextAuth|Feedback|Learning|Assistants|Storage|Notifications)(__[A-Za-z0-9]+|__<name>)+",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Setting();

    [GeneratedRegex(@"\]\((?<path>[^):#\s]+)(#[^)\s]*)?\)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Link();
}
