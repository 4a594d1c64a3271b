using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Learning.Tasks;

namespace Stoa.Learning.Generation;

/// <summary>One module of a course that is being made, as far as it is known.</summary>
/// <param name="Place">Where it stands in the structure: <c>2</c>.</param>
internal sealed record PlannedModule(string Place, string Name, IReadOnlyList<PlannedTask> Tasks);

/// <param name="Place"><c>2.0.1</c>: module, concept, task.</param>
internal sealed record PlannedTask(string Place, string Name, string Description, TaskType Type, string Concept, string ConceptDescription);

/// <summary>
/// <c>{modules: [{name, concepts: [{name, description, tasks: [{name, description, type}]}]}]}</c>: asked for, and read while it comes.
/// </summary>
internal static class CourseStructure
{
    private const int MaxModules = 60;
    private const int MaxTasks = 600;
    private const int MaxName = 200;

    public static readonly JsonElement Schema = JsonElement.Parse("""
        {"type":"object","additionalProperties":false,"required":["modules"],"properties":{"modules":{"type":"array","items":{
          "type":"object","additionalProperties":false,"required":["name","concepts"],"properties":{"name":{"type":"string"},"concepts":{"type":"array","items":{
            "type":"object","additionalProperties":false,"required":["name","description","tasks"],"properties":{
              "name":{"type":"string"},"description":{"type":"string"},"tasks":{"type":"array","items":{
                "type":"object","additionalProperties":false,"required":["name","description","type"],"properties":{
                  "name":{"type":"string"},"description":{"type":"string"},"type":{"type":"string","enum":["learning_material","quiz"]}}}}}}}}}}}}
        """);

    /// <summary>
    /// The modules that have a name and whose concepts have begun, with those of their tasks that have a name and a type.
    /// </summary>
    public static List<PlannedModule> Read(JsonObject? structure)
    {
        List<PlannedModule> modules = [];
        var left = MaxTasks;
        foreach (var (module, number) in ItemsOf(structure, "modules").Take(MaxModules))
        {
            if (NameOf(module) is not { } name || !module.ContainsKey("concepts"))
            {
                continue;
            }
            var place = number.ToString(CultureInfo.InvariantCulture);
            var tasks = ItemsOf(module, "concepts")
                .SelectMany(concept => TasksOf(concept.Item, $"{place}.{concept.Number}")).Take(left).ToList();
            left -= tasks.Count;
            modules.Add(new(place, name, tasks));
        }
        return modules;
    }

    /// <summary>The structure with the ids of what was made of it, as it is kept.</summary>
    public static JsonObject WithIds(IEnumerable<PlannedModule> modules, IReadOnlyDictionary<string, int> ids) => new()
    {
        ["modules"] = new JsonArray([.. modules.Select(module => new JsonObject
        {
            ["id"] = ids[module.Place],
            ["name"] = module.Name,
            ["concepts"] =
                new JsonArray([.. module.Tasks.GroupBy(task => task.Place[..task.Place.LastIndexOf('.')]).Select(concept => new JsonObject
            {
                ["name"] = concept.First().Concept,
                ["description"] = concept.First().ConceptDescription,
                ["tasks"] = new JsonArray([.. concept.Select(task => new JsonObject
                {
                    ["id"] = ids[task.Place], ["name"] = task.Name, ["description"] = task.Description,
                    ["type"] = task.Type == TaskType.Quiz ? "quiz" : "learning_material",
                })]),
            })]),
        })]),
    };

    private static IEnumerable<PlannedTask> TasksOf(JsonObject concept, string place)
    {
        foreach (var (task, number) in ItemsOf(concept, "tasks"))
        {
            if (NameOf(task) is { } name && TypeOf(task) is { } type)
            {
                yield return new(
                    $"{place}.{number}", name, Text(task, "description"), type, Text(concept, "name"), Text(concept, "description"));
            }
        }
    }

    private static TaskType? TypeOf(JsonObject task) => Text(task, "type") switch
    {
        "learning_material" => TaskType.LearningMaterial,
        "quiz" => TaskType.Quiz,
        _ => null,
    };

    private static string? NameOf(JsonObject item) =>
        Text(item, "name").Trim() is { Length: > 0 } name ? name.Length <= MaxName ? name : name[..MaxName] : null;

    private static string Text(JsonObject item, string name) =>
        item[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text.Replace("\0", "", StringComparison.Ordinal) : "";

    private static IEnumerable<(JsonObject Item, int Number)> ItemsOf(JsonObject? within, string name) =>
        (within?[name] as JsonArray ?? []).Select((item, number) => (Item: item as JsonObject, number))
            .Where(item => item.Item is not null).Select(item => (item.Item!, item.number));
}
