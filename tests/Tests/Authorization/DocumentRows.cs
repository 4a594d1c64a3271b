namespace Stoa.Tests.Authorization;

/// <summary>
/// Routes of Mojodex's wire about documents. None of the matrix's callers has one of its credentials, and none calls the internal listener;
/// what users and services may is asked by the wire's own tests.
/// </summary>
internal static class DocumentRows
{
    public static readonly IReadOnlyDictionary<string, MatrixRow> All = new Dictionary<string, MatrixRow>(StringComparer.Ordinal)
    {
        ["POST /background/parse_website"] = Hidden,
        ["POST /background/create_document_from_website"] = Hidden,
        ["POST /background/update_document"] = Hidden,
        ["PUT /assistants/document"] = Closed("mojodex_service"),
        ["POST /assistants/document"] = Closed("mojodex_service"),
        ["PUT /assistants/document_chunk"] = Closed("mojodex_service"),
        ["POST /assistants/document_chunk"] = Closed("mojodex_service"),
        ["DELETE /assistants/document_chunk"] = Closed("mojodex_service"),
        ["GET /assistants/document_chunk"] = Closed("mojodex_service"),
        ["PUT /assistants/resource"] = Closed("mojodex_user"),
        ["POST /assistants/resource"] = Closed("mojodex_user"),
        ["GET /assistants/resource"] = Closed("mojodex_user"),
        ["DELETE /assistants/resource"] = Closed("mojodex_user"),
        ["GET /assistants/resource/search"] = Closed("mojodex_user"),
    };

    private static MatrixRow Hidden => new("mojodex_background", Body: "{}") { Stranger = 404 };

    private static MatrixRow Closed(string rule) => new(rule, Body: "{}") { Stranger = 403 };
}
