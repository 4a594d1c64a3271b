using System.Text.Json.Nodes;

namespace Stoa.Gateway.Files;

/// <summary>A part of a list as OpenAI's API shows lists.</summary>
internal static class ObjectPage
{
    public static JsonObject Of(IEnumerable<JsonObject> objects, bool hasMore)
    {
        var data = new JsonArray([.. objects]);
        return new()
        {
            ["object"] = "list",
            ["first_id"] = data is [{ } first, ..] ? (string?)first["id"] : null,
            ["last_id"] = data is [.., { } last] ? (string?)last["id"] : null,
            ["has_more"] = hasMore,
            ["data"] = data,
        };
    }
}
