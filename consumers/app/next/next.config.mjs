// No package is named here: none needs to be external.
export default {};
