/* The OpenAPI document: whole, consistent, and true of the service.
 * SPDX-License-Identifier: MIT */
#include "openapi.h"
#include "operation.h"
#include "support/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *get(const char *path)
{
    test_service service = service_open();
    const api_response reply =
        service_send(&service, &(api_request){.method = "GET", .path = path});
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.content_type, "application/json");
    cJSON *const json = service_read(&reply);
    service_close(&service);
    assert_non_null(json);
    return json;
}

/* Follows "/a/b~1c"; NULL if there is no such member. */
static const cJSON *follow(const cJSON *json, const char *pointer)
{
    char name[128];
    while (json != NULL && *pointer == '/') {
        size_t length = 0;
        for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
            const bool escape = *pointer == '~';
            name[length++] = !escape ? *pointer : *++pointer == '0' ? '~' : '/';
        }
        name[length] = '\0';
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, atoi(name))
                                   : cJSON_GetObjectItemCaseSensitive(json, name);
    }
    return json;
}

static int check_references(const cJSON *root, const cJSON *json)
{
    int count = 0;
    const cJSON *item;
    if (json->string != NULL && strcmp(json->string, "$ref") == 0) {
        assert_int_equal(json->valuestring[0], '#');
        if (follow(root, json->valuestring + 1) == NULL)
            fail_msg("%s leads nowhere", json->valuestring);
        count++;
    }
    cJSON_ArrayForEach(item, json) count += check_references(root, item);
    return count;
}

/* No member stands twice in an object, which cJSON would forgive. */
static void check_members(const cJSON *json)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json)
    {
        if (cJSON_IsObject(json) && cJSON_GetObjectItemCaseSensitive(json, item->string) != item)
            fail_msg("%s stands twice", item->string);
        check_members(item);
    }
}

static const cJSON *operation_schema(const cJSON *root, const api_operation *operation,
                                     const char *rest)
{
    char path[64], place[API_POINTER_SIZE] = "/paths", pointer[2 * API_POINTER_SIZE];
    snprintf(path, sizeof path, "/v1/%s", operation->name);
    api_pointer_push(place, path);
    snprintf(pointer, sizeof pointer, "%s/post%s", place, rest);
    const cJSON *const schema = follow(root, pointer);
    if (schema == NULL)
        fail_msg("%s is missing", pointer);
    return schema;
}

static bool is_required(const cJSON *schema, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(schema, "required")->child;
    while (item != NULL && strcmp(item->valuestring, name) != 0)
        item = item->next;
    return item != NULL;
}

/* Every row of the table is documented; returns how many there are. */
static int check_table(const cJSON *schema, const api_field *table)
{
    int count = 0;
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(schema, "additionalProperties")));
    for (api_rows rows = api_rows_of(table); api_next_row(&rows); count++) {
        const api_field *const field = rows.field;
        const cJSON *const property = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItem(schema, "properties"), field->name);
        assert_non_null(property);
        assert_non_null(cJSON_GetObjectItem(property, "description"));
        assert_int_equal(is_required(schema, field->name), field->required);
        assert_int_equal(cJSON_GetObjectItem(property, "default") != NULL, field->fallback != NULL);
    }
    return count;
}

static void references_resolve_and_members_are_unique(void **state)
{
    (void)state;
    cJSON *const root = get("/openapi.json");
    assert_string_equal(follow(root, "/openapi")->valuestring, "3.1.0");
    assert_string_equal(follow(root, "/info/version")->valuestring, LAYERD_VERSION);
    assert_true(check_references(root, root) > 10);
    check_members(root);
    cJSON_Delete(root);
}

/* Some kinds are for requests alone, others for replies. */
static void check_direction(const api_field *table, bool replies)
{
    for (api_rows rows = api_rows_of(table); api_next_row(&rows);) {
        const api_kind *const kind = rows.field->kind;
        if (replies ? kind->write == NULL : kind->decode == NULL)
            fail_msg("%s is of a kind that a %s has not", rows.field->name,
                     replies ? "reply" : "request");
        if (rows.field->fields != NULL)
            check_direction(rows.field->fields, replies);
    }
}

static void requests_are_read_and_replies_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_operation_count(); i++) {
        check_direction(api_operation_at(i)->request, false);
        check_direction(api_operation_at(i)->reply, true);
    }
}

static void every_field_is_documented(void **state)
{
    (void)state;
    cJSON *const root = get("/openapi.json");
    for (size_t i = 0; i < api_operation_count(); i++) {
        const api_operation *const operation = api_operation_at(i);
        const cJSON *const request =
            operation_schema(root, operation, "/requestBody/content/application~1json/schema");
        const cJSON *const reply = operation_schema(
            root, operation, "/responses/200/content/application~1json/schema/oneOf/0");
        const int count =
            check_table(request, operation->request) + check_table(request, api_common_fields);
        assert_int_equal(count, cJSON_GetArraySize(cJSON_GetObjectItem(request, "properties")));
        assert_int_equal(check_table(reply, operation->reply),
                         cJSON_GetArraySize(cJSON_GetObjectItem(reply, "properties")));
    }
    cJSON_Delete(root);
}

/* Asks for the path, as JSON has been changed; the reply's text, which the caller frees. */
static char *ask(const api_operation *operation, const cJSON *request, int status)
{
    char path[64];
    test_service service = service_open();
    char *const text = cJSON_PrintUnformatted(request);
    snprintf(path, sizeof path, "/v1/%s", operation->name);
    const api_response reply = service_post(&service, path, text);
    if (reply.status != status)
        fail_msg("%s: %.*s", text, (int)reply.body_size, (const char *)reply.body);
    char *const body = strndup(reply.body, reply.body_size);
    cJSON_free(text);
    service_close(&service);
    return body;
}

/* The members of a reply are those that the schema has, and the required ones are there. */
static void check_reply(const cJSON *schema, const char *text)
{
    cJSON *const reply = cJSON_Parse(text);
    const cJSON *item;
    const cJSON *const properties = cJSON_GetObjectItem(schema, "properties");
    cJSON_ArrayForEach(item, reply)
    {
        assert_non_null(cJSON_GetObjectItemCaseSensitive(properties, item->string));
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(schema, "required"))
    {
        assert_non_null(cJSON_GetObjectItemCaseSensitive(reply, item->valuestring));
    }
    cJSON_Delete(reply);
}

static void examples_are_answered_as_documented(void **state)
{
    (void)state;
    cJSON *const root = get("/openapi.json");
    for (size_t i = 0; i < api_operation_count(); i++) {
        const api_operation *const operation = api_operation_at(i);
        cJSON *const example = cJSON_Duplicate(
            operation_schema(root, operation, "/requestBody/content/application~1json/example"),
            true);
        char *text = ask(operation, example, 200);
        check_reply(operation_schema(root, operation,
                                     "/responses/200/content/application~1json/schema/oneOf/0"),
                    text);
        free(text);
        cJSON_AddTrueToObject(example, "dry_run");
        text = ask(operation, example, 200);
        check_reply(operation_schema(root, operation,
                                     "/responses/200/content/application~1json/schema/oneOf/1"),
                    text);
        free(text);
        cJSON_Delete(example);
    }
    cJSON_Delete(root);
}

/* Saying a documented default changes nothing. */
static void check_default(const api_operation *operation, const api_field *field)
{
    cJSON *const request = cJSON_Parse(operation->example);
    char *const without = ask(operation, request, 200);
    cJSON_AddItemToObject(request, field->name, cJSON_Parse(field->fallback));
    char *const with = ask(operation, request, 200);
    assert_string_equal(with, without);
    free(without);
    free(with);
    cJSON_Delete(request);
}

static void documented_defaults_are_the_real_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_operation_count(); i++) {
        const api_operation *const operation = api_operation_at(i);
        const api_field *const tables[] = {operation->request, api_common_fields};
        for (size_t table = 0; table < 2; table++)
            for (api_rows rows = api_rows_of(tables[table]); api_next_row(&rows);)
                if (rows.field->fallback != NULL)
                    check_default(operation, rows.field);
    }
}

/* Clients are generated with these for names: words without slashes, each once. */
static void operation_ids_are_unique_words(void **state)
{
    (void)state;
    cJSON *const root = get("/openapi.json");
    cJSON *const ids = cJSON_CreateObject();
    const cJSON *path;
    cJSON_ArrayForEach(path, follow(root, "/paths"))
    {
        const char *const id = cJSON_GetObjectItem(path->child, "operationId")->valuestring;
        assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(id));
        assert_false(cJSON_HasObjectItem(ids, id));
        cJSON_AddTrueToObject(ids, id);
    }
    assert_true((size_t)cJSON_GetArraySize(ids) > api_operation_count());
    cJSON_Delete(ids);
    cJSON_Delete(root);
}

static void the_index_lists_every_operation(void **state)
{
    (void)state;
    cJSON *const index = get("/v1");
    for (size_t i = 0; i < api_operation_count(); i++) {
        char pointer[64], path[64];
        snprintf(pointer, sizeof pointer, "/operations/%zu/path", i);
        snprintf(path, sizeof path, "/v1/%s", api_operation_name(i));
        assert_string_equal(follow(index, pointer)->valuestring, path);
    }
    assert_string_equal(follow(index, "/documentation")->valuestring, "/openapi.json");
    cJSON_Delete(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_resolve_and_members_are_unique),
        cmocka_unit_test(requests_are_read_and_replies_written),
        cmocka_unit_test(every_field_is_documented),
        cmocka_unit_test(examples_are_answered_as_documented),
        cmocka_unit_test(documented_defaults_are_the_real_ones),
        cmocka_unit_test(operation_ids_are_unique_words),
        cmocka_unit_test(the_index_lists_every_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
