using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;

namespace Stoa.Assistants.Languages;

/// <summary>The user's language, and the words of a client's pages in it.</summary>
internal static class LanguagesApi
{
    private static readonly SortedDictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["en"] = "English", ["es"] = "Español", ["fr"] = "Français",
    };

    private static readonly FrozenDictionary<string, JsonElement> Strings = Names.Keys.ToFrozenDictionary(code => code, Load);

    public static void MapLanguages(this IEndpointRouteBuilder surface)
    {
        var languages = surface.MapGroup("/language").WithTags("user").RequireMojodexUser();
        languages.MapPost("", SetAsync).WithSummary("Set the language");
        languages.MapGet("", Get).WithSummary("Read the words of a client's pages");
    }

    internal static async Task<Ok<SuccessText>> SetAsync(
        Body<NewLanguage> body, MojodexCaller caller, UserStore users, AssistantsDb db, CancellationToken ct)
    {
        (await users.OwnAsync(caller.UserId!, ct)).LanguageCode = body.Value.Code;
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new SuccessText("Language updated"));
    }

    internal static Ok<InterfaceWords> Get(Query<WantedLanguage> query) =>
        TypedResults.Ok(new InterfaceWords(Names, Strings.GetValueOrDefault(query.Value.Code, Strings["en"])));

    private static JsonElement Load(string code)
    {
        using var stream = typeof(LanguagesApi).Assembly.GetManifestResourceStream($"Stoa.Assistants.Languages.{code}.json")
            ?? throw new InvalidOperationException($"There are no words in {code}");
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }

    internal sealed record InterfaceWords(IDictionary<string, string> AvailableLanguages, JsonElement LanguageJsonFile);

    internal sealed record NewLanguage(string Code) : IArguments<NewLanguage>
    {
        public static NewLanguage Read(Fields fields) => new(LanguageCode.Read(fields, "language_code")!);
    }

    /// <summary>One that is not known is answered in English.</summary>
    internal sealed record WantedLanguage(string Code) : IArguments<WantedLanguage>
    {
        public static WantedLanguage Read(Fields fields) => new(fields.Text("language_code"));
    }
}
